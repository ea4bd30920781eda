"""Which addresses the outside world may name: pure, and stricter than the standard library's ``is_global``."""

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOW_32 = 0xFFFF_FFFF
# RFC 5214: the interface identifier of an address that tunnels to the IPv4 address in its low bits.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)

_PRIVATE_V4 = tuple(map(IPv4Network, ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_PRIVATE_V6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))

# What ``is_global`` lets through on some Python versions, or what no client of ours has business with.
_NEVER_V4 = (
    IPv4Network("168.63.129.16/32"),  # Azure's host agent: a public number that answers inside the machine
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; Oracle's metadata service lives here
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, withdrawn (RFC 7526)
)
_NEVER_V6 = (
    IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, ORCHID, benchmarking
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
    IPv6Network("fd00:ec2::/32"),  # Amazon's metadata service
    IPv6Network("fd20:ce::/32"),  # Google's metadata service
)


class Reach(Enum):
    """Where an address leads."""

    PUBLIC = "public"
    PRIVATE = "private"
    FORBIDDEN = "forbidden"


def reach(address: str) -> Reach:
    """Classify one numeric address.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64, ISATAP) is judged by what it carries.
    Link-local, multicast, unspecified, reserved and metadata addresses are forbidden whatever the operator allows.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return _reach_v4(parsed)
    carried = _carried(parsed)
    if carried is not None:
        return _reach_v4(carried)
    return _reach_v6(parsed)


def _reach_v4(address: IPv4Address) -> Reach:
    if any(address in network for network in _NEVER_V4):
        return Reach.FORBIDDEN
    if any(address in network for network in _PRIVATE_V4):
        return Reach.PRIVATE
    return Reach.PUBLIC if address.is_global and not address.is_multicast else Reach.FORBIDDEN


def _reach_v6(address: IPv6Address) -> Reach:
    if address.scope_id is not None or any(address in network for network in _NEVER_V6):
        return Reach.FORBIDDEN
    if any(address in network for network in _PRIVATE_V6):
        return Reach.PRIVATE
    return Reach.PUBLIC if address in _GLOBAL_UNICAST and address.is_global else Reach.FORBIDDEN


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    number = int(address)
    if address in _NAT64 or (number >> 32) & _LOW_32 in _ISATAP:
        return IPv4Address(number & _LOW_32)
    return None
