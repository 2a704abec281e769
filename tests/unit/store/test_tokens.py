"""Tokens and their digests."""

from engine.store.tokens import digest, new_token


def test_tokens_are_long_random_and_tell_what_they_are() -> None:
    of_organisation, of_user = new_token("organisation"), new_token("user")
    assert of_organisation.startswith("rwo_") and of_user.startswith("rwu_")
    assert len(of_organisation) == 47
    assert len({new_token("organisation") for _ in range(100)}) == 100


def test_a_digest_takes_whatever_a_header_may_hold() -> None:
    assert len(digest("rwo_x")) == 32
    assert digest("ä\udcff") != digest("ä")
