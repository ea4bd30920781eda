"""What people are told by mail."""

from counterfoil.kit.mail import Mailer, MailFailed, Message
from counterfoil.observability import get_logger

_log = get_logger(__name__)


def invitation(to: str, *, inviter: str, tenant: str, link: str) -> Message:
    return Message(
        to=to,
        subject=f"{inviter} invites you to {tenant}",
        body=f"{inviter} invites you to work in {tenant} on Counterfoil.\n\nAccept within seven days:\n\n{link}\n\n"
        "The link works once, for whoever opens it first: do not pass it on.\n",
    )


def password_reset(to: str, *, link: str) -> Message:
    return Message(
        to=to,
        subject="Choose a new password",
        body=f"Somebody, hopefully you, asked for a new password.\n\nChoose it within the hour:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: your password stays as it is.\n",
    )


def password_changed(to: str) -> Message:
    return Message(
        to=to,
        subject="Your password was changed",
        body="Your password was changed, and your other sessions have ended.\n\n"
        "If it was not you, ask for a new password on the log-in page at once.\n",
    )


async def send_quietly(mailer: Mailer, message: Message, *, purpose: str) -> None:
    """Send after the deed is done, which a mail server that is away does not undo."""
    try:
        await mailer.send(message)
    except (MailFailed, ValueError) as error:
        # Neither address nor text: the one is a person's, the other holds a secret.
        _log.warning(
            "mail.not_sent", purpose=purpose, error=str(error) if isinstance(error, MailFailed) else "bad address"
        )
