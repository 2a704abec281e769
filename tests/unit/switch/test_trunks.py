"""Which trunks an Asterisk can be told to dial by, when ARI does as it should, and when it does not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from engine.switch.asterisk.endpoints import endpoint
from engine.switch.asterisk.orders import Way
from engine.switch.asterisk.push import FAMILY, MARK, Objects, Push, PushFailed, mark
from engine.switch.asterisk.trunks import TrunkBook
from engine.vocabulary.values import Provider

ONE = Provider(7, 1, "192.0.2.7", 5070, "joe", "right", "49|0", False, 10)
TWO = replace(ONE, provider_id=8, host="192.0.2.8", prefix="")
FIXED = {"trunk": "192.0.2.1:5060"}


@dataclass
class Ari(Push):
    """Remembers what it is asked for; some names do not work."""

    broken: set[str] = field(default_factory=set)
    rows: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    book: TrunkBook | None = None
    seen: list[set[str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(8088, "ringward", "secret", 60)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Ari"]:  # type: ignore[override]
        yield self

    async def put(self, name: str, objects: Objects, *, is_new: bool) -> None:
        assert self.book
        self.seen.append(set(self.book.ways))
        self.names.append(name)
        self.asked.append(f"{'new' if is_new else 'put'} {name.partition('.')[0]}")
        if name.partition(".")[0] in self.broken:
            raise PushFailed("500")
        self.rows[f"{FAMILY}/endpoint/{name}"] = f'{{"{MARK}": "{mark(objects)}"}}'

    async def delete(self, name: str) -> None:
        self.asked.append(f"delete {name.partition('.')[0]}")
        if name.partition(".")[0] in self.broken:
            raise PushFailed("500")
        del self.rows[f"{FAMILY}/endpoint/{name}"]


@pytest.fixture
def ari() -> Iterator[Ari]:
    yield Ari()


def book_of(ari: Ari) -> TrunkBook:
    ari.book = TrunkBook(FIXED, ari, "s3cret")
    return ari.book


async def test_what_was_put_is_a_way_and_what_was_removed_is_none(ari: Ari) -> None:
    book = book_of(ari)
    assert await book.put([ONE, TWO], ari.rows) == {"p7", "p8"}
    assert book.ways == {
        "trunk": Way(endpoint("trunk", "s3cret"), "192.0.2.1:5060"),
        "p7": Way(ari.names[0], "192.0.2.7:5070", (("49", "0"),)), "p8": Way(ari.names[1], "192.0.2.8:5070")}
    assert await book.put([TWO], ari.rows) == {"p8"} and set(book.ways) == {"trunk", "p8"}
    assert ari.asked == ["new p7", "new p8", "delete p7"]


async def test_after_a_restart_what_is_as_it_should_be_is_found_so(ari: Ari) -> None:
    await book_of(ari).put([ONE, TWO], ari.rows)
    ari.asked.clear()
    named = list(ari.names)
    changed = replace(TWO, password="new")
    assert await book_of(ari).put([ONE, changed], ari.rows) == {"p7", "p8"} and ari.asked == ["put p8"]
    assert ari.names == [*named, named[1]], "its name is kept"


async def test_while_one_is_changed_calls_go_on_by_it_and_a_removed_one_is_gone_first(ari: Ari) -> None:
    book = book_of(ari)
    await book.put([ONE, TWO], ari.rows)
    await book.put([replace(TWO, password="new")], ari.rows)
    assert ari.seen[-1] == {"trunk", "p8"}


async def test_one_that_asterisk_refuses_is_no_way_and_spoils_no_other(ari: Ari) -> None:
    ari.broken = {"p7"}
    book = book_of(ari)
    assert await book.put([ONE, TWO], ari.rows) == {"p8"} and set(book.ways) == {"trunk", "p8"}


async def test_one_that_stays_though_it_is_not_wanted_is_told(ari: Ari) -> None:
    book = book_of(ari)
    await book.put([ONE, TWO], ari.rows)
    ari.broken = {"p7"}
    with pytest.raises(PushFailed):
        await book.put([TWO], ari.rows)
    assert set(book.ways) == {"trunk", "p8"}


@pytest.mark.parametrize("changes", [{"host": "a;b"}, {"prefix": "49|0)"}, {"password": "a\nb"}])
async def test_one_that_must_not_reach_the_switch_is_left_out(ari: Ari, changes: dict[str, str]) -> None:
    book = book_of(ari)
    assert await book.put([replace(ONE, **changes), TWO], ari.rows) == {"p8"} and ari.asked == ["new p8"]


async def test_without_ari_there_are_the_trunks_of_the_settings(ari: Ari) -> None:
    book = TrunkBook(FIXED, None)
    assert await book.put([ONE], {}) == () and set(book.ways) == {"trunk"}


async def test_a_name_of_former_versions_is_replaced_for_it_could_be_guessed(ari: Ari) -> None:
    ari.rows[f"{FAMILY}/endpoint/p7"] = f'{{"{MARK}": "abc"}}'
    assert await book_of(ari).put([ONE], ari.rows) == {"p7"} and ari.asked == ["new p7", "delete p7"]
    assert list(ari.rows) == [f"{FAMILY}/endpoint/{ari.names[0]}"] and ari.names[0] != "p7"
