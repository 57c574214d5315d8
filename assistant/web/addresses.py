"""Network addresses: where a request comes from, and which networks count as one visitor.

Owns the reading of `X-Forwarded-For`, which anybody can write. Knows nothing of quotas.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4_PREFIX = 24
_IPV6_PREFIX = 64
"""What one household or office is usually given, and may change at will within."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address that a request comes from; empty where the connection has none.

    That is the connection's own, unless it belongs to a `trusted` proxy: then it is the
    right-most address in `X-Forwarded-For` that is no trusted proxy's. Where that one is
    malformed, has a port, or can't be a client's, the connection's stands: one visitor too
    few is counted rather than one that was made up.
    """
    peer: str = (scope.get("client") or ("", 0))[0]
    found = parsed(peer)
    if found is None or not _within(found, trusted):
        return peer
    lines = [value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    hops = b",".join(lines).decode("latin-1").split(",")
    for hop in reversed(hops):
        address = parsed(hop.strip())
        if address is None or address.is_loopback or address.is_unspecified:
            return peer
        if not _within(address, trusted):
            return str(address)
    return peer


def parsed(text: str) -> Address | None:
    """The address that `text` is, an IPv4 one written as IPv6 as itself; None for no address."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def widened(address: Address) -> Network:
    """The network that counts as one visitor: IPv4 /24, IPv6 /64."""
    if isinstance(address, IPv4Address):
        return IPv4Network((int(address), _IPV4_PREFIX), strict=False)
    return IPv6Network((int(address), _IPV6_PREFIX), strict=False)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
