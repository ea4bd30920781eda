import pytest

from counterfoil.kit.passwords import Passwords


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


async def test_a_hash_is_argon2id_at_the_recommended_cost_and_verifies_its_password_only(passwords: Passwords) -> None:
    stored = await passwords.hash("pässword with ünicode")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, "pässword with ünicode")
    assert not await passwords.verify(stored, "password with unicode")


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "whatever")


async def test_a_damaged_hash_matches_nothing(passwords: Passwords) -> None:
    assert not await passwords.verify("$argon2id$v=19$damaged", "whatever")
