from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from counterfoil.db import CoreBase, Database
from counterfoil.identity.invitations.models import Invitation
from counterfoil.identity.models import Membership, MembershipRole, User

from .people import Register, Registered


async def insert(database: Database, tenant_id: UUID, row: CoreBase) -> None:
    async with database.unit_of_work(tenant_id) as uow:
        uow.session.add(row)


async def test_a_tenant_sees_its_own_members_only(register: Register, database: Database) -> None:
    ours, theirs = await register(), await register()
    async with database.unit_of_work(ours.tenant_id) as uow:
        users = (await uow.session.scalars(select(User))).all()
        memberships = (await uow.session.scalars(select(Membership))).all()
        roles = (await uow.session.scalars(select(MembershipRole))).all()
    assert [user.id for user in users] == [ours.user_id]
    assert [membership.user_id for membership in memberships] == [ours.user_id]
    assert {role.tenant_id for role in roles} == {ours.tenant_id}
    assert theirs.user_id != ours.user_id


async def test_a_user_of_two_tenants_is_seen_in_both_without_the_other_membership(
    register: Register, database: Database
) -> None:
    first = await register()
    second = await register(**first.credentials)
    for tenant_id in (first.tenant_id, second.tenant_id):
        async with database.unit_of_work(tenant_id) as uow:
            memberships = (await uow.session.scalars(select(Membership))).all()
        assert [(row.tenant_id, row.user_id) for row in memberships] == [(tenant_id, first.user_id)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM core.users",
        "SELECT failed_logins FROM core.users",
        "SELECT * FROM core.users",
        "UPDATE core.users SET name = 'x'",
        "DELETE FROM core.users",
        "INSERT INTO core.users (id, email, name, password_hash) VALUES (uuidv7(), 'a@example.com', 'x', 'x')",
        "SELECT * FROM core.refresh_sessions",
        "INSERT INTO core.refresh_sessions SELECT * FROM core.refresh_sessions",
        "UPDATE core.refresh_sessions SET revoked_at = NULL",
        "DELETE FROM core.refresh_sessions",
        "SELECT * FROM core.password_resets",
        "DELETE FROM core.password_resets",
    ],
)
async def test_the_application_role_reaches_neither_hashes_nor_sessions_nor_changes_users(
    owner: Registered, database: Database, statement: str
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.unit_of_work(owner.tenant_id) as uow:
            await uow.session.execute(text(statement))


async def test_members_cannot_be_added_to_another_tenant(register: Register, database: Database) -> None:
    ours, theirs = await register(), await register()
    row = Membership(tenant_id=theirs.tenant_id, user_id=ours.user_id)
    with pytest.raises(ProgrammingError, match="row-level security"):
        await insert(database, ours.tenant_id, row)


async def test_a_role_cannot_be_tied_to_another_tenants_membership(register: Register, database: Database) -> None:
    ours, theirs = await register(), await register()
    async with database.unit_of_work(theirs.tenant_id) as uow:
        membership_id = (await uow.session.scalars(select(Membership.id))).one()
    row = MembershipRole(tenant_id=ours.tenant_id, membership_id=membership_id, role="owner")
    with pytest.raises(IntegrityError, match="membership_roles_tenant_id_membership_id_fkey"):
        await insert(database, ours.tenant_id, row)


async def test_definer_functions_pin_their_search_path_and_answer_the_application_only(
    admin: "asyncpg.Connection[Any]",
) -> None:
    functions = await admin.fetch(
        """
        SELECT p.proname, p.proconfig, r.rolname AS owner,
               has_function_privilege('counterfoil_app', p.oid, 'EXECUTE') AS app_may,
               has_function_privilege('counterfoil_ro', p.oid, 'EXECUTE') AS others_may
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.pronamespace = 'core'::regnamespace AND p.prosecdef AND p.proname = ANY ($1)
    """,
        [
            "find_account",
            "create_user",
            "record_login",
            "open_session",
            "find_session",
            "session_is_live",
            "revoke_session",
            "rotate_session",
            "lock_sessions",
            "revoke_sessions",
            "tenants_of",
            "may_enter",
            "sessions_of",
            "rename_user",
            "rehash_password",
            "change_password",
            "password_is_from",
            "add_password_reset",
            "find_password_reset",
            "reset_password",
            "find_invitation",
        ],
    )
    assert len(functions) == 21
    for function in functions:
        assert function["proconfig"] == ["search_path=pg_catalog, pg_temp"]
        assert (function["owner"], function["app_may"], function["others_may"]) == ("counterfoil_system", True, False)


async def test_an_invitation_of_another_tenant_is_out_of_reach(register: Register, database: Database) -> None:
    ours, theirs = await register(), await register()
    await theirs.client.post("/api/v1/users", json={"email": "guest@example.com", "roles": ["readonly"]})
    async with database.unit_of_work(theirs.tenant_id) as uow:
        invitation = (await uow.session.scalars(select(Invitation))).one()
    async with database.unit_of_work(ours.tenant_id) as uow:
        assert (await uow.session.scalars(select(Invitation))).all() == []
        changed = await uow.session.execute(text("UPDATE core.invitations SET accepted_at = now() RETURNING id"))
        assert changed.all() == []
    row = Invitation(
        tenant_id=theirs.tenant_id,
        email="a@example.com",
        roles=["owner"],
        token_hash=b"x",
        expires_at=invitation.expires_at,
    )
    with pytest.raises(ProgrammingError, match="row-level security"):
        await insert(database, ours.tenant_id, row)
