from counterfoil.kit.errors import NotFound, Problem


class NoSuchWebhook(NotFound):
    """Said of all there is to hide: no such connection, another kind, a plugin that is not enabled, no webhooks at all."""

    code, title = "webhook_not_found", "Nothing listens here"


class SignatureRefused(Problem):
    status, code, title = 400, "signature_invalid", "The signature does not hold"


class WebhookUnreadable(Problem):
    status, code, title = 400, "webhook_unreadable", "The signature holds, but the body is not what the vendor promises"
