"""What can go wrong on the way out, told apart by what a caller may do about it. Messages carry no query and no secret."""


class HttpError(Exception):
    """A request that brought no complete answer."""


class BlockedDestination(HttpError):
    """The guard refuses the destination: its scheme, host, port or one of its addresses."""


class Unsendable(HttpError):
    """The request cannot be formed: an address or a header that the protocol has no room for."""


class ConnectFailed(HttpError):
    """No connection, so the request was surely not carried out."""


class UntrustedCertificate(HttpError):
    """The server could not prove to be the host it was asked for."""


class NoAnswer(HttpError):
    """The request was sent and no answer began in time: it may or may not have been carried out."""


class CutBody(HttpError):
    """The answer began and then broke off, or could not be decoded."""


class BodyTooLarge(HttpError):
    """The answer is larger than the caller accepts."""


class TooManyRedirects(HttpError):
    """The server redirects more often than the caller follows."""


class HeldBack(HttpError):
    """Not sent: the server asked for no requests for longer than anybody wants to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no requests are wanted for another {seconds:.0f} s")
        self.seconds = seconds
