from counterfoil.kit.errors import Problem


class UnknownStream(Problem):
    status, code, title = 422, "unknown_stream", "The connector has no such stream"


class ConnectionNotReady(Problem):
    status, code, title = 409, "connection_not_ready", "Test the connection first"
