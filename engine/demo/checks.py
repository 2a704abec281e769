"""The named checks of a demonstration: what must have happened. A check that was not reached has failed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.vocabulary.values import RingwardError


class DemoFailed(RingwardError):
    """The demonstration cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    detail: str


@dataclass(slots=True)
class Checks:
    """`names` are all that will be judged, in order."""

    names: tuple[str, ...]
    _done: dict[str, Check] = field(default_factory=dict)

    def judge(self, name: str, passed: bool, detail: str = "") -> bool:
        if name not in self.names:
            raise KeyError(name)
        self._done[name] = Check(name, bool(passed), detail)
        return bool(passed)

    def __iter__(self) -> Iterator[Check]:
        return iter([self._done.get(name, Check(name, False, "not reached")) for name in self.names])

    @property
    def failed(self) -> list[Check]:
        return [check for check in self if not check.passed]
