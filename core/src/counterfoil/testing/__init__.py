"""The test kit, for us and for plugin authors: a real database per worker, tenants, signed-in clients, simulators.

It is a pytest plugin that installs itself with the distribution. Set ``anyio_mode = "auto"`` in the pytest settings to write
tests as plain ``async def`` functions.
"""
