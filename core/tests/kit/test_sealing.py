"""Secrets at rest."""

from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import CannotOpen, DataKey, MasterKeys, Place, key_version

PLACE = Place(tenant_id=new_id(), table="core.connections", column="credentials", row_id=new_id())
KEY = DataKey.generate()


def fernet_key() -> str:
    return Fernet.generate_key().decode()


@given(value=st.binary(max_size=2000))
def test_what_was_sealed_opens_in_its_place(value: bytes) -> None:
    sealed = KEY.seal(value, PLACE)
    assert KEY.open(sealed, PLACE) == value
    assert len(value) < 8 or value not in sealed


def test_the_same_value_is_never_sealed_to_the_same_bytes() -> None:
    assert KEY.seal(b"same", PLACE) != KEY.seal(b"same", PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, tenant_id=new_id()),
        replace(PLACE, table="core.tenant_ai_settings"),
        replace(PLACE, column="api_key"),
        replace(PLACE, row_id=new_id()),
    ],
)
def test_a_sealed_value_moved_to_another_tenant_table_column_or_row_does_not_open(elsewhere: Place) -> None:
    with pytest.raises(CannotOpen):
        KEY.open(KEY.seal(b"secret", PLACE), elsewhere)


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_one_altered_byte_anywhere_keeps_it_closed(at: int, flip: int) -> None:
    sealed = bytearray(KEY.seal(b"secret", PLACE))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(CannotOpen):
        KEY.open(bytes(sealed), PLACE)


@given(noise=st.binary(max_size=100))
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(CannotOpen):
        KEY.open(noise, PLACE)


@given(cut=st.integers(1, 40))
def test_a_shortened_value_does_not_open(cut: int) -> None:
    with pytest.raises(CannotOpen):
        KEY.open(KEY.seal(b"secret", PLACE)[:-cut], PLACE)


def test_another_tenants_key_does_not_open_it() -> None:
    with pytest.raises(CannotOpen):
        DataKey.generate().open(KEY.seal(b"secret", PLACE), PLACE)


def test_a_sealed_value_says_which_of_the_tenants_keys_sealed_it() -> None:
    second = DataKey.generate(version=2)
    sealed = second.seal(b"secret", PLACE)
    assert key_version(sealed) == 2
    with pytest.raises(CannotOpen, match="another data key"):
        KEY.open(sealed, PLACE)


def test_a_data_key_does_not_print_itself() -> None:
    assert str(KEY.secret) not in repr(KEY)
    assert "secret" not in repr(KEY)


def test_master_keys_rotate_and_values_sealed_before_still_open() -> None:
    old, new = fernet_key(), fernet_key()
    before = MasterKeys.parse(old)
    wrapped = before.wrap(KEY.secret)
    sealed = KEY.seal(b"secret", PLACE)

    during = MasterKeys.parse(f"{new}, {old}")
    assert during.unwrap(wrapped) == KEY.secret
    rewrapped = during.rewrap(wrapped)

    after = MasterKeys.parse(new)
    assert after.current_id == during.current_id != before.current_id
    assert DataKey(version=1, secret=after.unwrap(rewrapped)).open(sealed, PLACE) == b"secret"
    for keys, held in ((after, wrapped), (before, rewrapped)):
        with pytest.raises(CannotOpen):
            keys.unwrap(held)
        with pytest.raises(CannotOpen):
            keys.rewrap(held)


@pytest.mark.parametrize("text", ["", " , ", "short", "x" * 44])
def test_malformed_master_keys_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match="master key") as caught:
        MasterKeys.parse(text)
    assert len(text) < 5 or text not in str(caught.value)


def test_places_that_differ_never_share_their_associated_data() -> None:
    one, other = UUID(int=1), UUID(int=2)
    places = {
        Place(tenant_id=tenant, table=table, column=column, row_id=row).associated_data
        for tenant in (one, other)
        for table in ("core.a", "core.b")
        for column in ("a", "b")
        for row in (one, other)
    }
    assert len(places) == 16
