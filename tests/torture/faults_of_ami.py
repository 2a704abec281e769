"""The connection between engine and Asterisk, by the proxy between them: cut, half open, slow, and messages that are
lost, come twice or late. No call may suffer from any of them: only the "link" is harmed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.contract.ami_proxy import Meddling
from tests.torture.faults import Fault
from tests.torture.world import World

LINK = frozenset({"link"})


@dataclass(frozen=True, slots=True)
class AmiReset:
    name: str = "AMI reset"
    harms: frozenset[str] = LINK
    lasts_s: tuple[float, float] = (0.0, 0.0)

    async def strike(self, world: World) -> None:
        world.proxy.cut()

    async def heal(self, world: World) -> None:
        """The engine connects again."""


@dataclass(frozen=True, slots=True)
class AmiAway:
    """Cut, and every new connection is thrown out for a while."""

    name: str = "AMI away"
    harms: frozenset[str] = LINK
    lasts_s: tuple[float, float] = (1.0, 9.0)

    async def strike(self, world: World) -> None:
        world.proxy.is_closed = True
        world.proxy.cut()

    async def heal(self, world: World) -> None:
        world.proxy.is_closed = False


@dataclass(frozen=True, slots=True)
class AmiHalfOpen:
    """Neither side hears of the other, and neither is told."""

    name: str = "AMI half open"
    harms: frozenset[str] = LINK
    lasts_s: tuple[float, float] = (0.0, 2.0)

    async def strike(self, world: World) -> None:
        world.proxy.freeze()

    async def heal(self, world: World) -> None:
        """That connection never heals: the engine finds out, and makes another one."""


@dataclass(frozen=True, slots=True)
class AmiSlow:
    """Our side reads so slowly that what Asterisk tells piles up."""

    name: str = "AMI read slowly"
    harms: frozenset[str] = LINK
    lasts_s: tuple[float, float] = (2.0, 9.0)
    bytes_s: float = 1500.0

    async def strike(self, world: World) -> None:
        world.proxy.bytes_s = self.bytes_s

    async def heal(self, world: World) -> None:
        world.proxy.bytes_s = None


@dataclass(frozen=True, slots=True)
class AmiReplies:
    """Replies are meddled with, never events: what TCP delivers it delivers, but Asterisk may fail to answer.
    `meddling` is made anew by each strike; `by`: what it is given, a share of the replies or seconds."""

    name: str
    meddling: Callable[[random.Random, float], Meddling]
    by: float
    harms: frozenset[str] = LINK
    lasts_s: tuple[float, float] = (2.0, 9.0)

    async def strike(self, world: World) -> None:
        world.proxy.meddle = self.meddling(world.rng, self.by)

    async def heal(self, world: World) -> None:
        world.proxy.meddle = None


def lost(rng: random.Random, share: float) -> Meddling:
    return lambda message: [] if is_reply(message) and rng.random() < share else [(0, message)]


def doubled(rng: random.Random, share: float) -> Meddling:
    return lambda message: [(0, message)] * (2 if is_reply(message) and rng.random() < share else 1)


def reordered(rng: random.Random, latest_s: float) -> Meddling:
    """Some are late by chance: they overtake each other and what they are the answer to."""
    return lambda message: [(rng.uniform(0, latest_s) if is_reply(message) and rng.random() < 0.5 else 0, message)]


def is_reply(message: bytes) -> bool:
    return message.startswith(b"Response:") or b"Event: OriginateResponse" in message


IN_MIX: Sequence[Fault] = (
    AmiReset(), AmiAway(), AmiHalfOpen(), AmiSlow(), AmiReplies("AMI replies lost", lost, by=0.3),
    AmiReplies("AMI replies doubled", doubled, by=0.5), AmiReplies("AMI replies reordered", reordered, by=0.5),
)
