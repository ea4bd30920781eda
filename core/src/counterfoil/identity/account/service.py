"""A person's own account.

It belongs to no tenant: each tenant's trail tells what happened there, and the deed is one transaction with the event of the
tenant at hand.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from counterfoil import audit
from counterfoil.config import Settings
from counterfoil.db import Database, UnitOfWork
from counterfoil.identity import mailing
from counterfoil.identity import repository as identities
from counterfoil.identity.account import repository
from counterfoil.identity.errors import InactiveMember, LinkInvalid, PasswordChanged, WrongPassword
from counterfoil.identity.opaque import hashed, link, new_token
from counterfoil.identity.repository import EndedSession, Session
from counterfoil.identity.service import Identity, Person, current_person, user_actor
from counterfoil.identity.throttle import wait_out
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.kit.mail import Mailer
from counterfoil.observability import get_logger

_RESET_TTL = timedelta(hours=1)

_log = get_logger(__name__)


async def rename(uow: UnitOfWork, user_id: UUID, name: str, *, former: str) -> None:
    await repository.rename(uow, user_id, name)
    await audit.record(
        uow,
        action="core.user.renamed",
        resource_type="user",
        resource_id=user_id,
        payload={"from": former, "to": name},
    )


class Accounts:
    """Sessions and passwords of those who use this installation."""

    def __init__(self, identity: Identity, *, database: Database, settings: Settings, mailer: Mailer) -> None:
        self._identity = identity
        self._database = database
        self._origin = settings.origin
        self._mailer = mailer

    async def end_session(self, session: Session, session_id: UUID) -> None:
        """End one of one's own sessions; what it could do, it cannot from this moment on.

        Raises:
            NotFound: it has ended already, or is somebody else's.
        """
        async with self._database.unit_of_work(session.tenant_id) as uow:
            person = await current_person(uow, session)
            ended = await identities.revoke_sessions(uow, person.id, only=session_id, reason="revoked_by_user")
            if not ended:
                raise NotFound("You have no such session.")
            await self._tell(uow, person, action="core.session.revoked", resource=("session", session_id), payload={})
        await self._tell_others(
            person, ended, besides=session.tenant_id, action="core.session.revoked", resource=("session", session_id)
        )

    async def end_other_sessions(self, session: Session) -> int:
        """End all of one's sessions but this one; how many."""
        action = "core.session.others_revoked"
        async with self._database.unit_of_work(session.tenant_id) as uow:
            person = await current_person(uow, session)
            ended = await identities.revoke_sessions(uow, person.id, keep=session.family_id, reason="revoked_by_user")
            here = _by_tenant(ended).get(uow.tenant, [])
            await self._tell(uow, person, action=action, resource=("user", person.id), payload=_listed(here))
        await self._tell_others(person, ended, besides=session.tenant_id, action=action, resource=("user", person.id))
        return len(ended)

    async def change_password(self, session: Session, *, current: str, new: str) -> Person:
        """Set a new password and end all sessions but this one.

        Raises:
            WrongPassword: the current one is another.
            PasswordChanged: it was changed while it was being checked.
            TooManyRequests: as for log-in, for this would otherwise be a way around that limit.
        """
        async with self._database.unit_of_work(session.tenant_id) as uow:
            person = await current_person(uow, session)
            account = await identities.find_account(uow, person.email)
        if account is None:
            raise InactiveMember
        started = await self._identity.throttle.log_in(person.email)
        if not await self._identity.passwords.verify(account.password_hash, current):
            await wait_out(started)
            raise WrongPassword
        new_hash = await self._identity.passwords.hash(new)
        action, resource = "core.user.password_changed", ("user", person.id)
        async with self._database.unit_of_work(session.tenant_id) as uow:
            await current_person(uow, session)
            if not await repository.change_password(uow, person.id, former=account.password_hash, new=new_hash):
                raise PasswordChanged
            ended = await identities.revoke_sessions(uow, person.id, keep=session.family_id, reason="password_changed")
            here = _by_tenant(ended).get(uow.tenant, [])
            await self._tell(uow, person, action=action, resource=resource, payload=_listed(here))
        await self._tell_others(person, ended, besides=session.tenant_id, action=action, resource=resource)
        return person

    async def mail_reset_link(self, email: str) -> None:
        """Mail a link that sets a new password, if there is such an account and it did not get too many.

        To be called when the answer has left: then nobody can tell by its time which it was.
        """
        async with self._database.unit_of_work(None) as uow:
            account = await identities.find_account(uow, email)
        if account is None or not await self._identity.throttle.may_mail(email):
            return
        token = new_token()
        async with self._database.unit_of_work(account.tenant_id) as uow:
            await repository.add_password_reset(
                uow,
                reset_id=new_id(),
                user_id=account.user_id,
                token_hash=hashed(token),
                until=utc_now() + _RESET_TTL,
            )
            if account.tenant_id is not None:
                await audit.record(
                    uow, action="core.user.password_reset_requested", resource_type="user", resource_id=account.user_id
                )
        message = mailing.password_reset(email, link=link(self._origin, "reset-password", token))
        await mailing.send_quietly(self._mailer, message, purpose="password_reset")

    async def reset_password(self, token: str, new: str) -> Person:
        """Set a new password with a mailed link, and end every session there is.

        Raises:
            LinkInvalid: unknown, used or too old.
            TooManyRequests: too many attempts from this network.
        """
        await self._identity.throttle.attempt("reset")
        async with self._database.unit_of_work(None) as uow:
            reset = await repository.find_password_reset(uow, hashed(token))
        if reset is None:
            raise LinkInvalid
        person = Person(id=reset.user_id, email=reset.email, name=reset.name)
        new_hash = await self._identity.passwords.hash(new)
        action, resource = "core.user.password_reset", ("user", person.id)
        async with self._database.unit_of_work(reset.tenant_id) as uow:
            if not await repository.reset_password(uow, hashed(token), new=new_hash):
                raise LinkInvalid
            ended = await identities.revoke_sessions(uow, person.id, reason="password_reset")
            if reset.tenant_id is None:
                _log.info("identity.password_reset", user_id=str(person.id))
            else:
                here = _by_tenant(ended).get(reset.tenant_id, [])
                await self._tell(uow, person, action=action, resource=resource, payload=_listed(here))
        await self._tell_others(person, ended, besides=reset.tenant_id, action=action, resource=resource)
        await self._identity.throttle.let_in(person.email)
        return person

    async def tell_of_new_password(self, person: Person) -> None:
        """Mail to the person: if it was somebody else, this is how they learn of it."""
        await mailing.send_quietly(self._mailer, mailing.password_changed(person.email), purpose="password_changed")

    async def _tell(
        self,
        uow: UnitOfWork,
        person: Person,
        *,
        action: str,
        resource: tuple[str, UUID],
        payload: dict[str, object],
    ) -> None:
        with context.bound(context.current_actor, person.actor):
            await audit.record(uow, action=action, resource_type=resource[0], resource_id=resource[1], payload=payload)

    async def _tell_others(
        self,
        person: Person,
        ended: Iterable[EndedSession],
        *,
        besides: UUID | None,
        action: str,
        resource: tuple[str, UUID],
    ) -> None:
        """Put it on the trail of the other tenants in which a session ended; each learns of its own only."""
        for tenant_id, sessions in _by_tenant(ended).items():
            if tenant_id == besides:
                continue
            async with self._database.unit_of_work(tenant_id) as uow:
                member = await identities.member(uow, person.id, session_id=sessions[0].family_id)
                # Somebody who is no member any more has no e-mail that this tenant may read.
                actor = user_actor(person.id, member.email if member else str(person.id))
                with context.bound(context.current_actor, actor):
                    await audit.record(
                        uow,
                        action=action,
                        resource_type=resource[0],
                        resource_id=resource[1],
                        payload=_listed(sessions),
                    )


def _by_tenant(ended: Iterable[EndedSession]) -> dict[UUID, list[EndedSession]]:
    found: dict[UUID, list[EndedSession]] = defaultdict(list)
    for session in ended:
        found[session.tenant_id].append(session)
    return dict(found)


def _listed(sessions: Iterable[EndedSession]) -> dict[str, object]:
    return {"sessions_ended": [str(session.family_id) for session in sessions]}
