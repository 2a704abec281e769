"""How the bench of the api measures its two arms, and what it takes for the same answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from bench.api import Stage, _constant, compared


class Enough(Exception):
    pass


async def test_each_arm_runs_once_before_the_first_pair() -> None:
    loaded: list[str] = []

    async def load(url: str) -> Mapping[str, float]:
        loaded.append(url)
        if len(loaded) > 2:     # the first pair begins
            raise Enough
        return {}               # no figures: it is not measured

    on = Stage(Path(), cast(Any, None), ours="ours", bare="bare", tenants=())
    with pytest.raises(Enough):
        await compared(on, load, "GET hotline")
    assert loaded == ["bare", "ours", "bare"]


def test_answers_are_the_same_but_for_ids_and_times_at_any_depth() -> None:
    one = {"id": 1, "state": "running", "timeline": [{"at": "12:00", "type": "created"}]}
    other = {"id": 2, "state": "running", "timeline": [{"at": "12:01", "type": "created"}]}
    assert _constant(one) == _constant(other)
    assert _constant(one) != _constant({**other, "timeline": []})
    assert _constant(one) != _constant({**other, "state": "finished"})
