"""Which addresses count as public, private or forbidden."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.http.addresses import Reach, reach


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_public(address: str) -> None:
    assert reach(address) is Reach.PUBLIC


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::1", "fd12:3456::1"],
)
def test_loopback_and_private_ranges_are_private(address: str) -> None:
    assert reach(address) is Reach.PRIVATE


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  (an address to refuse, nothing is bound)
        "169.254.169.254",
        "100.100.100.200",
        "100.64.0.1",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
        "64:ff9b:1::a00:1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "2001:10::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:0:7f00:1",
        "::7f00:1",
    ],
)
def test_what_nobody_may_reach_is_forbidden_even_where_private_networks_are_allowed(address: str) -> None:
    assert reach(address) is Reach.FORBIDDEN


@given(number=st.integers(0, 2**32 - 1))
def test_an_address_that_carries_another_is_judged_by_what_it_carries(number: int) -> None:
    carried = IPv4Address(number)
    mapped = IPv6Address(f"::ffff:{carried}")
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80) | 1)
    nat64 = IPv6Address(int(IPv6Network("64:ff9b::/96").network_address) | number)
    teredo = IPv6Address((0x2001_0000 << 96) | (0x0101_0101 << 64) | (number ^ 0xFFFF_FFFF))
    isatap = IPv6Address((0x2606_4700 << 96) | (0x0000_5EFE << 32) | number)
    expected = reach(str(carried))
    assert {reach(str(address)) for address in (mapped, six_to_four, nat64, teredo, isatap)} == {expected}


@given(number=st.integers(0, 2**128 - 1))
def test_every_ipv6_address_outside_global_unicast_that_carries_nothing_is_not_public(number: int) -> None:
    address = IPv6Address(number)
    if address in IPv6Network("2000::/3") or address.ipv4_mapped or address in IPv6Network("64:ff9b::/96"):
        return
    if (number >> 32) & 0xFFFF_FFFF in (0x5EFE, 0x0200_5EFE):
        return
    assert reach(str(address)) is not Reach.PUBLIC
