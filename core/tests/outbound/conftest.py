from collections.abc import AsyncIterator

import pytest
from core.tests.connections.vendor import FakeVendor, serving


@pytest.fixture
async def vendor() -> AsyncIterator[FakeVendor]:
    async with serving() as vendor:
        yield vendor
