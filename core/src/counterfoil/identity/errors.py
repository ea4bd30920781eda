"""Refusals of log-in, registration and sessions."""

from counterfoil.kit.errors import Conflict, PermissionDenied, Problem, Unauthenticated


class InvalidCredentials(Unauthenticated):
    code, title = "invalid_credentials", "E-mail or password is wrong"


class SessionEnded(Unauthenticated):
    code, title = "session_ended", "Your session has ended, log in again"


class InactiveMember(Unauthenticated):
    code, title = "inactive_member", "Your membership is not active"
    is_refusal = True


class ApiKeyEnded(Unauthenticated):
    code, title = "api_key_ended", "This API key is expired or revoked"
    is_refusal = True


class OriginMismatch(PermissionDenied):
    code, title = "origin_mismatch", "The request comes from another site"


class RegistrationRefused(Conflict):
    code, title = "registration_refused", "This registration is not possible"


class SlugTaken(Conflict):
    code, title = "slug_taken", "This short name is taken"


class WrongPassword(PermissionDenied):
    code, title = "wrong_password", "This is not your password"


class PasswordChanged(Conflict):
    code, title = "password_changed", "Your password was changed a moment ago"


class LinkInvalid(Problem):
    """A one-time link is unknown, used, taken back or too old; which of these is for the audit trail only."""

    status, code, title = 410, "link_invalid", "This link is not valid any more"


class AlreadyMember(Conflict):
    code, title = "already_member", "This person is a member already"
