from counterfoil.kit.errors import Conflict, NotFound, Problem


class UnknownStream(Problem):
    status, code, title = 422, "unknown_stream", "The connector has no such stream"


class ConnectionNotReady(Problem):
    status, code, title = 409, "connection_not_ready", "Test the connection first"


class NoSuchStream(NotFound):
    code, title = "stream_not_found", "The connector has no such stream"


class NoticeNotFound(NotFound):
    code, title = "schema_notice_not_found", "There is no such notice"


class SyncUnderWay(Conflict):
    code, title = "sync_under_way", "A job is moving the cursors of this connection"
