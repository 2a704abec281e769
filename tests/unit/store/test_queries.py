"""Named queries: what a .sql file may look like."""

import pytest

from engine.store import queries


def test_blocks_become_queries_with_their_reasons() -> None:
    found = queries.parse("-- a file\n\n-- name: one\n-- why\nSELECT 1\n\n-- name: two_b\nSELECT 2\n")
    assert dict(found) == {"one": "-- why\nSELECT 1", "two_b": "SELECT 2"}


@pytest.mark.parametrize("text", [
    "SELECT 1", "-- name: one\n", "-- name: one\n-- only a reason\n",
    "-- name: one\nSELECT 1\n-- name: one\nSELECT 2"])
def test_a_file_that_says_something_unclear_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"query|SQL"):
        queries.parse(text)


@pytest.mark.parametrize("name", [path.stem for path in queries.SQL.glob("*.sql")])
def test_every_file_of_ours_can_be_read(name: str) -> None:
    assert queries.load(name)
