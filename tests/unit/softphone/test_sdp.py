from engine.softphone.g711 import PCMA, PCMU
from engine.softphone.sdp import EVENT_TYPE, choose, describe

BOTH = ("PCMA", "PCMU")


def test_an_offer_is_understood_as_it_was_meant():
    media = choose(describe("127.0.0.1", 4000, BOTH, EVENT_TYPE), BOTH, events=True)
    assert media and (media.remote, media.codec, media.event_type) == (("127.0.0.1", 4000), PCMA, 101)


def test_the_first_codec_of_the_other_side_that_is_ours_counts():
    assert choose(describe("h", 1, ("PCMU", "PCMA"), None), BOTH, True).codec is PCMU
    assert choose(describe("h", 1, BOTH, None), ("PCMU",), True).codec is PCMU
    assert choose(describe("h", 1, ("PCMA",), None), ("PCMU",), True) is None


def test_keys_are_tones_unless_both_sides_take_events():
    assert choose(describe("h", 1, BOTH, None), BOTH, events=True).event_type is None
    assert choose(describe("h", 1, BOTH, EVENT_TYPE), BOTH, events=False).event_type is None


def test_a_stranger_may_number_its_events_otherwise():
    body = describe("h", 1, BOTH, 96)
    assert choose(body, BOTH, events=True).event_type == 96
