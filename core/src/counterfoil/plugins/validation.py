"""The rules a plugin's connectors and models have to keep. Pure checks: they raise or pass."""

import inspect
import re
import sys
from collections.abc import Collection, Iterator, Sequence

from pydantic import BaseModel
from sqlalchemy import ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from counterfoil.db.base import CoreBase
from counterfoil.plugins.connector import CanonicalRow, Connector, ParentCursor, Settings, Stream, TimeCursor
from counterfoil.plugins.errors import Rejected
from counterfoil.plugins.records import Task

# Core tables a plugin may reference, with the columns a reference has to name.
_REFERABLE = {"core.tenants": ["id"], "core.connections": ["tenant_id", "id"]}
_KEYS = PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint | ExcludeConstraint
_WORD = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


def _require(holds: object, finding: str) -> None:
    if not holds:
        raise Rejected(finding)


def check_connector(plugin: str, connector: object) -> Connector:
    """The connector, if the engine can run it."""
    if not isinstance(connector, Connector):
        raise Rejected(f"register_connectors() gave {connector!r}, which is not an instance of Connector")
    kind = str(getattr(connector, "kind", ""))
    inside = _WORD.match(kind) is not None and (kind == plugin or kind.startswith(f"{plugin}_"))
    _require(inside, f"the connector kind {kind!r} is outside the namespace {plugin!r}: begin it with {plugin}_")
    for attribute in ("title", "base_url"):
        _require(isinstance(getattr(connector, attribute, None), str), f"connector {kind!r} has no {attribute}")
    for method in ("authorize", "check"):
        own = getattr(type(connector), method) is not getattr(Connector, method)
        _require(own, f"connector {kind!r} has no {method}() of its own")
    settings = getattr(connector, "settings", None)
    if not (isinstance(settings, type) and issubclass(settings, Settings)):
        raise Rejected(f"connector {kind!r} has no settings: declare a subclass of Settings")
    settings.model_json_schema()  # raises where a form could not be drawn
    _check_streams(connector)
    return connector


def _check_streams(connector: Connector) -> None:
    declared = [value for _, value in inspect.getmembers_static(type(connector)) if isinstance(value, Stream)]
    _require(declared, f"connector {connector.kind!r} has no stream")
    for stream in declared:
        where = f"stream {stream.name!r} of connector {connector.kind!r}"
        targets: Sequence[object] = stream.targets
        rows = [target for target in targets if isinstance(target, type) and issubclass(target, CanonicalRow)]
        # A stream may be kept raw only, or only bring the records of other streams.
        needs_none = stream.tells_of or (not targets and stream.to_rows is None)
        named = (rows or needs_none) and len(rows) == len(targets)
        _require(named, f"{where}: targets has to name canonical rows")
        _require(_WORD.match(str(stream.name)), f"{where}: a name is one lower-case word")
        _require([one.name for one in declared].count(stream.name) == 1, f"{where} is declared more than once")
        _require(
            not inspect.iscoroutinefunction(stream.pages), f"{where} never yields a page: it is no async generator"
        )
        _require(callable(stream.to_rows) or not targets, f"{where} has no second half: add @{stream.name}.rows")
        unknown = sorted(set(stream.tells_of) - connector.streams.keys())
        _require(not unknown, f"{where} tells of {', '.join(unknown)}, which the connector does not have")
        _require(
            stream.is_open is None or stream.fetch_one,
            f"{where}: what is open is fetched again, add @{stream.name}.fetch",
        )
        _require(stream.version >= 1, f"{where}: versions begin at 1")
        _check_cursor(stream, connector, where)


def _check_cursor(stream: Stream, connector: Connector, where: str) -> None:
    seen, cursor = {stream.name}, stream.cursor
    while isinstance(cursor, ParentCursor):
        _require(cursor.stream in connector.streams, f"{where}: there is no parent stream {cursor.stream!r}")
        _require(cursor.stream not in seen, f"{where}: its parents lead back to {cursor.stream!r}")
        seen.add(cursor.stream)
        cursor = connector.streams[cursor.stream].cursor
    if not isinstance(cursor, TimeCursor):
        raise Rejected(f"{where}: the cursor has to be a TimeCursor or a ParentCursor")
    _require(cursor.slices >= 1, f"{where}: at least one slice is read at a time")
    # Raises for what is not a duration.
    _ = cursor.lookback_delta, cursor.max_window_delta, cursor.lag_delta, cursor.horizon_delta


def check_task(claims: Collection[str], task: object) -> Task:
    """The task, if a worker can run it. Whether its permission and its queue are known, the registry of tasks asks."""
    if not isinstance(task, Task):
        raise Rejected(f"register_tasks() gave {task!r}, which is no Task")
    word, _, noun = task.name.partition(".")
    named = word in claims and _WORD.match(noun)
    _require(named, f"the task {task.name!r} is outside the plugin's namespace: call it {min(claims)}.<noun>")
    _require(inspect.iscoroutinefunction(task.run), f"task {task.name!r}: its run is no async function")
    params: object = task.params
    has_params = isinstance(params, type) and issubclass(params, BaseModel)
    _require(has_params, f"task {task.name!r}: its params are no Pydantic model")
    return task


def check_settings(model: object) -> type[Settings]:
    """The model of a plugin's settings, if a form can be drawn from it and nothing in it has to be kept secret."""
    if not (isinstance(model, type) and issubclass(model, Settings)):
        raise Rejected(f"register_settings() gave {model!r}, which is no subclass of Settings")
    _require(not model.secret_fields(), "its settings hold a secret: those are sealed in connections only")
    model.model_json_schema()  # raises where a form could not be drawn
    return model


def check_models(plugin: str, package: str) -> None:
    """Refuse a table among the package's loaded modules that could mix tenants or lies in a schema of others."""
    for mapper in CoreBase.registry.mappers:
        own = mapper.class_.__module__.partition(".")[0] == package
        _require(not own, f"model {mapper.class_.__name__} stands on core's base: use plugin_base({plugin!r})")
    for metadata in set(_metadatas(package)):
        for table in metadata.tables.values():
            _check_table(plugin, table)


def _metadatas(package: str) -> Iterator[MetaData]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            for value in list(vars(module).values()):
                metadata = value if isinstance(value, MetaData) else getattr(value, "metadata", None)
                if isinstance(metadata, MetaData) and metadata is not CoreBase.metadata:
                    yield metadata


def _check_table(plugin: str, table: Table) -> None:
    where = f"table {table.fullname}"
    _require(table.schema == plugin, f"{where} is outside the plugin's schema {plugin!r}")
    tenant = table.columns.get("tenant_id")
    if tenant is None or not isinstance(tenant.type, Uuid) or tenant.nullable:
        raise Rejected(f"{where} needs a column tenant_id, uuid NOT NULL")
    for constraint in table.constraints:
        if isinstance(constraint, _KEYS):
            leads = next(iter(constraint.columns), None) is tenant
            _require(leads, f"{where}: a {type(constraint).__name__} does not begin with tenant_id")
        if isinstance(constraint, ForeignKeyConstraint):
            _check_reference(plugin, constraint, where)
    for index in table.indexes:
        leads = next(iter(index.expressions), None) is tenant
        _require(leads, f"{where}: the index {index.name} does not begin with tenant_id")


def _check_reference(plugin: str, reference: ForeignKeyConstraint, where: str) -> None:
    targets = [element.target_fullname.rpartition(".") for element in reference.elements]
    table, columns = targets[0][0], [column for _, _, column in targets]
    own = table.startswith(f"{plugin}.") and columns[0] == "tenant_id"
    _require(own or columns == _REFERABLE.get(table), f"{where} may not reference {table} by {', '.join(columns)}")
