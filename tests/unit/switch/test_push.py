"""Which PJSIP objects a provider is, and how it is known that they are there."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.switch.asterisk.encoder import NotEncodable
from engine.switch.asterisk.push import ENDPOINT, MARK, Push, mark, marks
from engine.vocabulary.values import Provider

PUSH = Push(8088, "ringward", "secret", 60)
NAME = "p7.0123abcd"
ONE = Provider(7, 1, "sip.example.org", 5070, "joe", "right", "", False, 10)


def objects(is_known: bool = False, **changes: Any) -> Any:
    return PUSH.objects(replace(ONE, **changes), NAME, is_known=is_known)


def test_a_provider_is_an_endpoint_an_auth_and_an_identify_of_its_name() -> None:
    assert objects() == {
        "auth": {"auth_type": "userpass", "username": "joe", "password": "right"},
        "identify": {"endpoint": NAME, "match": "sip.example.org", "srv_lookups": "no"},
        "endpoint": {**ENDPOINT, "rtp_timeout": "60", "rtp_timeout_hold": "60", "outbound_auth": NAME,
                     "from_user": "joe", "from_domain": "sip.example.org"},
    }


def test_it_registers_when_it_says_so() -> None:
    made = objects(registers=True)["registration"]
    assert (made["server_uri"], made["client_uri"], made["contact_user"], made["outbound_auth"], made["endpoint"]) == (
        "sip:sip.example.org:5070", "sip:joe@sip.example.org", "joe", NAME, NAME)


def test_without_a_password_there_is_no_auth() -> None:
    made = objects(password="", registers=True)
    assert "auth" not in made and made["endpoint"]["outbound_auth"] == made["registration"]["outbound_auth"] == ""


def test_an_address_that_is_known_is_not_told_again() -> None:
    assert "identify" not in objects(is_known=True)


@pytest.mark.parametrize("changes", [
    {"host": host} for host in ("", "a b", "a/8", "a,b", "a;b", "[::1]", "a\nb", "-a", "a" * 129, "ä")
] + [{"username": name} for name in ("", "a\nb", "a;b", "a,b", "a[", "a]", 'a"', "a\\", "a\x7f", "a" * 129)]
    + [{"password": word} for word in ("a\r", "a;b", "a,b", "a[", "a]", "a\0", "a" * 129)])
def test_a_hostile_value_makes_no_object(changes: dict[str, Any]) -> None:
    with pytest.raises(NotEncodable) as refused:
        objects(**changes)
    assert not any(str(value) in str(refused.value) for value in changes.values() if len(str(value)) > 2)


@pytest.mark.parametrize("name", ["p7", "p-1.0123abcd", "trunk.0123abcd", "p7.0123abcd/x", "p7.0123ABCD"])
def test_a_name_that_could_be_guessed_or_is_none_makes_no_object(name: str) -> None:
    with pytest.raises(NotEncodable):
        PUSH.objects(ONE, name, is_known=False)


def test_every_difference_changes_the_mark_and_what_asterisk_is_not_told_does_not() -> None:
    first = mark(objects())
    changes = ({"host": "a"}, {"username": "ann"}, {"password": "new"}, {"password": ""}, {"registers": True},
               {"is_known": True})
    others = [mark(objects(**one)) for one in changes]
    assert len({first, *others}) == len(others) + 1
    assert mark(objects(prefix="49|0", weight=3, channels=2, cps=1)) == first == mark(objects(port=9))


def test_marks_are_read_out_of_the_switchs_own_database() -> None:
    rows = {
        f"rw_endpoint/endpoint/{NAME}": json.dumps({MARK: "abc", "context": "rw-in"}),
        "rw_endpoint/endpoint/p8": json.dumps({}), "rw_endpoint/endpoint/p9": "{", "rw_endpoint/endpoint/p10": "[]",
        "rw_endpoint/endpoint/other": json.dumps({MARK: "abc"}),
    }
    assert marks(rows) == {NAME: "abc", "p8": "", "p9": "", "p10": ""}
