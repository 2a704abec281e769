"""The lines of dialplan that a baseline adds to the Asterisk that runs."""

from bench.stage import INBOUND, extension


def test_each_line_is_the_next_priority_of_its_number() -> None:
    assert list(extension("498999998000", ["Answer(,i)", "Dial(PJSIP/a&PJSIP/b,30)"], INBOUND)) == [
        "dialplan add extension 498999998000,1,Answer(,i) into rw-in replace",
        "dialplan add extension 498999998000,2,Dial(PJSIP/a&PJSIP/b,30) into rw-in replace"]
