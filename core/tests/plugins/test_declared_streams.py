"""Which streams a connector has: its own, and those of everything it is made of."""

from collections.abc import AsyncIterator

from counterfoil.sdk import Connector, ConnectorContext, Page, TimeCursor, Window, stream


async def nothing() -> AsyncIterator[Page]:
    yield Page(records=[])


class Orders(Connector):
    @stream("orders", cursor=TimeCursor(), targets=[])
    def orders(self, _ctx: ConnectorContext, _window: Window) -> AsyncIterator[Page]:
        return nothing()


class Stock(Connector):
    @stream("stock", cursor=TimeCursor(), targets=[])
    def stock(self, _ctx: ConnectorContext, _window: Window) -> AsyncIterator[Page]:
        return nothing()


def test_a_connector_of_two_halves_has_the_streams_of_both() -> None:
    class Shop(Orders, Stock):
        pass

    assert set(Shop.streams) == {"orders", "stock"}
    assert set(Orders.streams) == {"orders"}


def test_a_connectors_own_stream_takes_the_place_of_an_inherited_one() -> None:
    class Better(Orders):
        @stream("orders", cursor=TimeCursor(lookback="2d"), targets=[])
        def orders(self, _ctx: ConnectorContext, _window: Window) -> AsyncIterator[Page]:
            return nothing()

    assert Better.streams["orders"] is not Orders.streams["orders"]
    assert Better.streams["orders"] is vars(Better)["orders"]
