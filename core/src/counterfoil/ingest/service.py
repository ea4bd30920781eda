"""What may be asked of a connection's streams."""

from collections.abc import Sequence

from counterfoil.commerce.models import table_of
from counterfoil.ingest.errors import UnknownStream
from counterfoil.plugins.connector import Connector, Stream


def chosen_streams(connector: Connector, names: Sequence[str] | None) -> list[Stream]:
    """The streams of these names in the connector's own order; all of them for None.

    Raises:
        UnknownStream: naming the ones there are.
    """
    unknown = sorted(set(names or ()) - set(connector.streams))
    if unknown:
        known = ", ".join(connector.streams)
        raise UnknownStream(f"{', '.join(unknown)}: choose from {known}.")
    return [stream for stream in connector.streams.values() if names is None or stream.name in names]


def target_tables(stream: Stream) -> list[str]:
    return [table_of(target).name for target in stream.targets]
