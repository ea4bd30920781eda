"""Registration, log-in, refresh, switching tenants and log-out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from redis.asyncio import Redis

from counterfoil import audit
from counterfoil.config import Settings
from counterfoil.db import Database, UnitOfWork
from counterfoil.identity import repository
from counterfoil.identity.errors import InactiveMember, InvalidCredentials, RegistrationRefused, SessionEnded
from counterfoil.identity.opaque import hashed, new_token
from counterfoil.identity.refresh import successor
from counterfoil.identity.repository import Account, Device, Session
from counterfoil.identity.throttle import Throttle, wait_out
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import NotFound, Unauthenticated
from counterfoil.kit.ids import new_id
from counterfoil.kit.passwords import Passwords
from counterfoil.kit.tokens import Tokens, parse_keys
from counterfoil.tenancy import Tenant

TRIAL_PLAN = "trial"
_TRIAL = timedelta(days=30)
_OWNER = "owner"
_SWITCHED = "switched_tenant"
_GRACE = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user as shown to themselves.

    ``password_hash`` is set for one who is about to be created, ``password_set_at`` for one who just gave the password: it
    dates the one they gave.
    """

    id: UUID
    email: str
    name: str
    password_hash: str | None = None
    password_set_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        return user_actor(self.id, self.email)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What a client needs to go on: both tokens, and who and where it is."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    person: Person
    tenant: Tenant


def user_actor(user_id: UUID, email: str) -> Actor:
    return Actor(kind="user", id=str(user_id), label=email)


class Identity:
    """The sessions of this installation."""

    def __init__(
        self, settings: Settings, *, database: Database, tokens: Tokens, throttle: Throttle, refresh_secret: bytes
    ) -> None:
        self._settings = settings
        self._database = database
        self._tokens = tokens
        self._refresh_secret = refresh_secret
        self.passwords = Passwords()
        self.throttle = throttle

    @classmethod
    def build(cls, settings: Settings, *, database: Database, redis: Redis) -> Self:
        """Read the keys and wire up; raises ValueError for missing or weak keys."""
        keys = parse_keys(settings.jwt_keys.get_secret_value())
        tokens = Tokens(keys, issuer="counterfoil", audience="counterfoil-api", token_type="at+jwt")  # noqa: S106  (a type)
        return cls(
            settings,
            database=database,
            tokens=tokens,
            throttle=Throttle(redis, burst=settings.login_burst),
            refresh_secret=next(iter(keys.values())),
        )

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    async def claim_email(self, email: str, password: str, *, name: str) -> Person:
        """Who registers: somebody new, or the user with this e-mail, if the password is theirs.

        Raises:
            RegistrationRefused: the e-mail is known and the password is not its own. Says no more than that.
            TooManyRequests: as for log-in, for this would otherwise be a way around that limit.
        """
        started = await self.throttle.log_in(email)
        account = await self._account(email)
        if account is None:
            return Person(id=new_id(), email=email, name=name, password_hash=await self.passwords.hash(password))
        if not await self.passwords.verify(account.password_hash, password):
            await self._failed(account, started=started)
            raise RegistrationRefused("Log in if you have an account, or use another e-mail.")
        await self.throttle.let_in(email)
        return _person(account, email)

    async def found_tenant(self, uow: UnitOfWork, founder: Person, *, name: str, slug: str, device: Device) -> SignedIn:
        """Create the unit of work's tenant with its first member, signed in.

        Raises:
            SlugTaken: some other tenant has this slug.
            RegistrationRefused: somebody registered the e-mail a moment ago.
        """
        tenant = Tenant(
            id=uow.tenant, name=name, slug=slug, plan=TRIAL_PLAN, plan_expires_at=utc_now() + _TRIAL, status="active"
        )
        await repository.add_tenant(uow, tenant)
        if founder.password_hash is not None and not await repository.create_user(
            uow, user_id=founder.id, email=founder.email, name=founder.name, password_hash=founder.password_hash
        ):
            raise RegistrationRefused("Log in if you have an account, or use another e-mail.")
        await repository.add_member(uow, founder.id, role=_OWNER)
        await audit.record(
            uow,
            action="core.tenant.registered",
            resource_type="tenant",
            resource_id=tenant.id,
            payload={"slug": slug, "plan": tenant.plan, "new_user": founder.password_hash is not None},
        )
        return await self.open(uow, founder, device=device)

    async def log_in(self, email: str, password: str, *, device: Device) -> SignedIn:
        """Open the tenant the user used last.

        Raises:
            InvalidCredentials: whatever is wrong, in the same words after the same time.
            TooManyRequests: too many attempts from this network, or wrong passwords for this account.
        """
        started = await self.throttle.log_in(email)
        account = await self._account(email)
        is_right = await self.passwords.verify(account.password_hash if account else None, password)
        if account is None or account.tenant_id is None or not is_right:
            await self._failed(account, started=started)
            raise InvalidCredentials
        await self.throttle.let_in(email)
        person = _person(account, email)
        stronger = await self.passwords.rehashed(account.password_hash, password)
        with context.bound(context.current_actor, person.actor):
            async with self._database.unit_of_work(account.tenant_id) as uow:
                signed_in = await self.open(uow, person, device=device)
                # After the session: whatever changes a password locks the user's sessions first, and the user then.
                if stronger is not None:
                    await repository.rehash_password(uow, person.id, former=account.password_hash, new=stronger)
                return signed_in

    async def switch(self, session: Session, tenant_id: UUID, *, device: Device) -> SignedIn:
        """Leave a session and open one in another tenant of the same user, which ends no later than the one left.

        A new session, because one that moved would let tokens of the tenant that was left, stolen ones too, follow along. The
        old one ends first: whatever fails after that, nobody is signed in twice and both trails tell the truth.

        Raises:
            NotFound: the user has no active membership there.
            InactiveMember: nor in the tenant of the session any more.
            Unauthenticated: the session has ended.
        """
        async with self._database.unit_of_work(session.tenant_id) as uow:
            person = await current_person(uow, session)
            if not await repository.may_enter(uow, person.id, tenant_id):
                raise NotFound("You have no active membership of such a tenant.")
            left = await repository.revoke_sessions(uow, person.id, only=session.family_id, reason=_SWITCHED)
            if not left:
                raise Unauthenticated
            with context.bound(context.current_actor, person.actor):
                await audit.record(
                    uow,
                    action="core.session.closed",
                    resource_type="session",
                    resource_id=session.family_id,
                    reason=_SWITCHED,
                )
        async with self._database.unit_of_work(tenant_id) as uow:
            with context.bound(context.current_actor, person.actor):
                return await self.open(uow, person, device=device, ends_at=left[0].ends_at)

    async def refresh(self, session: Session, token: str, *, device: Device) -> SignedIn:
        """Exchange a session's refresh token for its successor and a new access token.

        Raises:
            InactiveMember: the user may not work in the session's tenant any more.
            SessionEnded: expired, revoked, or used before; the last revokes the whole family.
        """
        child = successor(token, self._refresh_secret)
        async with self._database.unit_of_work(session.tenant_id) as uow:
            member = await repository.member(uow, session.user_id, session_id=session.family_id)
            if member is None or not member.active:
                raise InactiveMember
            person = Person(id=session.user_id, email=member.email, name=member.name)
            outcome = await repository.rotate_session(
                uow, hashed(token), child_hash=hashed(child), until=self._refresh_until(), grace=_GRACE, device=device
            )
            if outcome in ("rotated", "repeated"):
                return await self._signed_in(uow, person, session_id=session.family_id, refresh_token=child)
            if outcome == "reused":
                await audit.record(
                    uow,
                    action="core.session.revoked",
                    resource_type="session",
                    resource_id=session.family_id,
                    outcome="denied",
                    reason="refresh_token_reused",
                    payload={"user_id": str(session.user_id)},
                )
        raise SessionEnded

    async def log_out(self, session: Session) -> None:
        """End a session; a second time does nothing."""
        async with self._database.unit_of_work(session.tenant_id) as uow:
            member = await repository.member(uow, session.user_id, session_id=session.family_id)
            actor = user_actor(session.user_id, member.email) if member else context.SYSTEM
            if await repository.revoke_session(uow, session, reason="logged_out"):
                with context.bound(context.current_actor, actor):
                    await audit.record(
                        uow, action="core.session.closed", resource_type="session", resource_id=session.family_id
                    )

    async def session_of(self, refresh_token: str) -> Session | None:
        """The session a token was made for, ended or not."""
        async with self._database.unit_of_work(None) as uow:
            return await repository.find_session(uow, hashed(refresh_token))

    async def _failed(self, account: Account | None, *, started: float) -> None:
        """Write down a wrong password, then answer no sooner than for any other."""
        if account is not None:
            await self._note_failure(account)
        await wait_out(started)

    async def _account(self, email: str) -> Account | None:
        # A unit of its own, so that no connection waits for the hash.
        async with self._database.unit_of_work(None) as uow:
            return await repository.find_account(uow, email)

    async def _note_failure(self, account: Account) -> None:
        if account.tenant_id is None:
            return
        async with self._database.unit_of_work(account.tenant_id) as uow:
            await repository.record_login(uow, account.user_id, succeeded=False)
            await audit.record(
                uow,
                action="core.session.refused",
                resource_type="user",
                resource_id=account.user_id,
                outcome="denied",
                reason="invalid_credentials",
            )

    async def open(
        self, uow: UnitOfWork, person: Person, *, device: Device, ends_at: datetime | None = None
    ) -> SignedIn:
        """Sign somebody in to the unit of work's tenant, whose identity the caller has made sure of.

        Raises:
            InvalidCredentials: the password they gave was right, and has been changed since.
        """
        if person.password_set_at and not await repository.password_is_from(uow, person.id, person.password_set_at):
            raise InvalidCredentials
        token = new_token()
        session_id = await repository.open_session(
            uow,
            person.id,
            token_hash=hashed(token),
            until=self._refresh_until(),
            ends_at=ends_at or utc_now() + timedelta(seconds=self._settings.refresh_family_ttl_s),
            device=device,
        )
        await repository.record_login(uow, person.id, succeeded=True)
        await repository.mark_used(uow, person.id)
        await audit.record(
            uow,
            action="core.session.opened",
            resource_type="session",
            resource_id=session_id,
            payload={"user_agent": device.user_agent},
        )
        return await self._signed_in(uow, person, session_id=session_id, refresh_token=token)

    async def _signed_in(self, uow: UnitOfWork, person: Person, *, session_id: UUID, refresh_token: str) -> SignedIn:
        ttl_s = self._settings.access_token_ttl_s
        extra = {"tid": str(uow.tenant), "sid": str(session_id)}
        return SignedIn(
            access_token=self._tokens.issue(str(person.id), ttl_s=ttl_s, extra=extra),
            refresh_token=refresh_token,
            expires_in_s=ttl_s,
            person=person,
            tenant=await repository.tenant(uow),
        )

    def _refresh_until(self) -> datetime:
        return utc_now() + timedelta(seconds=self._settings.refresh_token_ttl_s)


def _person(account: Account, email: str) -> Person:
    return Person(id=account.user_id, email=email, name=account.name, password_set_at=account.password_set_at)


async def current_person(uow: UnitOfWork, session: Session) -> Person:
    """Who a session belongs to, if it is still good in the unit of work's tenant.

    Raises:
        InactiveMember: the user may not work here any more.
        Unauthenticated: the session has ended.
    """
    member = await repository.member(uow, session.user_id, session_id=session.family_id)
    if member is None or not member.active:
        raise InactiveMember
    if not member.session_is_live:
        raise Unauthenticated
    return Person(id=session.user_id, email=member.email, name=member.name)
