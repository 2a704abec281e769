"""Which targets a webhook may reach: public addresses by https; what RINGWARD_WEBHOOK_ALLOW lists also by http.

A webhook's URL comes from outside and the request leaves from inside: without this, whoever may make a webhook could
talk to our database, to a cloud's metadata, to the neighbours of this machine (SSRF). Invariant: a socket is only made
for an address that was judged, the very one that it connects to. A name is resolved once a try, by `Gate.resolve`, and
every one of its addresses must be permitted; `Gate.socket` judges again what is connected to, whatever way it came. A
name that changes between check and use (DNS rebinding) gains nothing. Redirects and proxies: see `posting.py`.

Used by `sender.py` for each try, and by the API when a URL is given, so that its author hears at once what is wrong.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from engine.vocabulary.values import RingwardError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Lookup = Callable[[str], Awaitable[Sequence[str]]]

SCHEMES = ("https", "http")
LOOKUP_TIMEOUT_S = 2.0
LOOKUPS_AT_ONCE = 128

# Denied by list where the registry calls them global, or calls nothing so that our Python knows.
V4_CLOSED = [ip_network(it) for it in (
    "100.64.0.0/10",        # carrier-grade NAT; a cloud's metadata (100.100.100.200)
    "168.63.129.16/32",     # a cloud's metadata in public space
    "192.0.0.0/24",         # protocol assignments; a cloud's metadata (192.0.0.192)
    "192.88.99.0/24",       # the former 6to4 relays
)]
# IPv6 is denied unless it is global unicast, of which these parts lead elsewhere.
V6_OPEN = ip_network("2000::/3")
V6_CLOSED = [ip_network(it) for it in (
    "2001::/23",            # protocol assignments, Teredo among them
    "2001:db8::/32", "3fff::/20",   # documentation
    "2002::/16",            # 6to4: an IPv4 address of anybody's choice
)]
NAT64 = ip_network("64:ff9b::/96")
# WHATWG: a host whose last label is a number is an IPv4 address, in forms that every library reads differently.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)


class Refused(RingwardError, OSError):
    """This target may not be reached. An OSError, so that aiohttp reports it as a failed connection."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EACCES, why)
        self.why = why

    def __str__(self) -> str:
        return self.why


class SystemLookup:
    """The system's answer, through /etc/hosts and DNS. One question at a time for each name, in threads of our own:
    names whose servers do not answer hold up neither other names nor other users of threads."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "webhook-lookup")
        self._asked: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        """Raises OSError."""
        asked = self._asked.get(host)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._executor, _addresses, host)
            self._asked[host] = asked
            asked.add_done_callback(partial(self._answered, host))
        return await asyncio.shield(asked)      # who gives up does not take the answer from the others

    def _answered(self, host: str, asked: asyncio.Future[Sequence[str]]) -> None:
        del self._asked[host]
        if not asked.cancelled():
            asked.exception()                   # perhaps nobody waits any more: that is no error


def _addresses(host: str) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:                        # of a label too long
        raise OSError("not a host name") from None
    return list(dict.fromkeys(str(it[4][0]) for it in found))


class Guard:
    def __init__(self, allow: Sequence[Network] = (), lookup: Lookup | None = None) -> None:
        self._allow = tuple(allow)
        self._lookup = lookup or SystemLookup()

    def gate(self, scheme: str) -> "Gate":
        return Gate(self, scheme)

    async def check(self, text: str) -> None:
        """Raises Refused when `text` is no target. A name that cannot be resolved now passes: it may be, later."""
        url = read(text)
        assert url.host         # noqa: S101 - by read
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                await self.addresses(url.scheme, url.host)
        except Refused:
            raise
        except OSError:                     # TimeoutError is one
            pass

    async def addresses(self, scheme: str, host: str) -> Sequence[str]:
        """Where a name leads. Raises Refused when one of the addresses is not permitted, OSError."""
        try:
            found = [str(ip_address(host))]
        except ValueError:
            found = list(await self._lookup(host))
        for address in found:
            self.judge(scheme, address)
        if not found:
            raise OSError("the host has no address")
        return found

    def judge(self, scheme: str, text: str) -> None:
        """Raises Refused unless `text`, an address, may be reached by `scheme`."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            raise Refused("the host is no address") from None
        inner = embedded(address)
        if any(it in network for it in (address, inner) for network in self._allow):
            return
        if not is_public(inner):
            raise Refused(f"{address} is not a public address, nor in the networks of RINGWARD_WEBHOOK_ALLOW")
        if scheme != "https":
            raise Refused("http is only for the networks of RINGWARD_WEBHOOK_ALLOW; use https")


class Gate(AbstractResolver):
    """The way out for one scheme: aiohttp's resolver and its maker of sockets."""

    def __init__(self, guard: Guard, scheme: str) -> None:
        self._guard = guard
        self._scheme = scheme

    def connector(self) -> TCPConnector:
        """No cache of names and no connection used twice: each try is judged by itself."""
        return TCPConnector(resolver=self, socket_factory=self.socket, use_dns_cache=False, force_close=True, limit=0)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        return [ResolveResult(
            hostname=host, host=address, port=port, proto=0, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        ) for address in await self._guard.addresses(self._scheme, host)]

    def socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        self._guard.judge(self._scheme, str(address[0]))
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        pass


def read(text: str) -> URL:
    """`text` as a URL of the form that a webhook may have. Raises Refused."""
    try:
        url = URL(text)
        host, port = url.host, url.port     # a host is read only here: xn-- is none
    except (ValueError, IndexError):        # IndexError: what yarl makes of brackets in odd places
        raise Refused("not a URL") from None
    if url.scheme not in SCHEMES or not host:
        raise Refused("must begin with https:// (or http://) and a host")
    if url.user is not None or url.password is not None:
        raise Refused("must hold no user name and no password: the signature says who sends")
    if url.fragment or "#" in text:
        raise Refused("must have no fragment")
    if not port:
        raise Refused("port 0 cannot be reached")
    if ":" not in host and _NUMERIC.fullmatch(host) and not _is_dotted_quad(host):
        raise Refused("an IPv4 address is written as four decimal numbers")
    return url


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, when it leads there: mapped, or through NAT64."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet. What is not known to be one is none."""
    if isinstance(address, IPv6Address):
        return address in V6_OPEN and not any(address in network for network in V6_CLOSED)
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        return False
    return not (address.is_link_local or address.is_unspecified or any(address in network for network in V4_CLOSED))


def _is_dotted_quad(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False
