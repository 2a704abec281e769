"""By which trunks an Asterisk can be told to dial, and how: those of the settings, and the providers that it has taken.

Used by `switch.py` alone. Invariant: a provider is among the ways only when all its objects are in Asterisk as they
should be; while one is changed, calls go on by what was there before.
"""

from collections.abc import Collection, Mapping, Sequence

import structlog

from engine.switch.asterisk.encoder import HOST, TRUNK, NotEncodable, checked
from engine.switch.asterisk.endpoints import endpoint, fresh_endpoint
from engine.switch.asterisk.orders import Way
from engine.switch.asterisk.push import Objects, Push, PushFailed, Session, mark, marks
from engine.vocabulary.dialling import rewrites
from engine.vocabulary.values import Provider

log = structlog.get_logger(__name__)


class TrunkBook:
    """`fixed`: HOST:PORT of the settings' trunks by name. `push`: None where there are no others. `secret`: what the
    engine and its Asterisk share."""

    def __init__(self, fixed: Mapping[str, str], push: Push | None, secret: str = "") -> None:
        self._fixed = {
            checked(TRUNK, name, "trunk"): Way(endpoint(name, secret), checked(HOST, address, "trunk address"))
            for name, address in fixed.items()}
        self._push = push
        self.ways: Mapping[str, Way] = self._fixed

    async def put(self, providers: Sequence[Provider], rows: Mapping[str, str]) -> Collection[str]:
        """`rows`: what Asterisk's own database has of FAMILY. Returns the providers by which can be dialled now. Raises
        PushFailed when one that is not wanted could not be deleted."""
        if self._push is None:
            return ()
        found = marks(rows)
        names = {one.trunk: next((name for name in found if name.startswith(f"{one.trunk}.")), None)
                 or fresh_endpoint(one.trunk) for one in providers}
        wanted = self._wanted(self._push, providers, names)
        self.ways = {name: way for name, way in self.ways.items() if name in self._fixed or name in wanted}
        async with self._push.session() as session:
            taken = {trunk for trunk, objects in wanted.items()
                     if found.get(names[trunk]) == mark(objects)
                     or await self._put(session, names[trunk], objects, names[trunk] not in found)}
            self.ways = {**self._fixed, **{one.trunk: _way(one, names[one.trunk])
                                           for one in providers if one.trunk in taken}}
            for name in sorted(found.keys() - {names[trunk] for trunk in wanted}):
                await session.delete(name)
                log.info("trunks.provider_deleted", provider=name)
        return taken

    def _wanted(
        self, push: Push, providers: Sequence[Provider], names: Mapping[str, str],
    ) -> dict[str, Objects]:
        """By trunk. Who calls is known by his address: several of one address are told apart only when we dial."""
        known = {way.address.rpartition(":")[0] for way in self._fixed.values()}
        wanted: dict[str, Objects] = {}
        for one in providers:
            try:
                _way(one, names[one.trunk])
                wanted[one.trunk] = push.objects(one, names[one.trunk], is_known=one.host in known)
            except (NotEncodable, ValueError) as error:
                log.error("trunks.provider_refused", provider=one.trunk, error=str(error))
            else:
                known.add(one.host)
        return wanted

    async def _put(self, session: Session, name: str, objects: Objects, is_new: bool) -> bool:
        try:
            await session.put(name, objects, is_new=is_new)
        except PushFailed as error:
            log.warning("trunks.provider_failed", provider=name, error=str(error))
            return False
        log.info("trunks.provider_put", provider=name)
        return True


def _way(provider: Provider, name: str) -> Way:
    """Raises NotEncodable, ValueError."""
    address = checked(HOST, f"{provider.host}:{int(provider.port)}", "provider's address")
    return Way(name, address, rewrites(provider.prefix))
