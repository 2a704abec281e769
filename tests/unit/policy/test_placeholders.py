"""What stands for what in the texts of programs, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.placeholders import filled, has_results, with_results

ANNA = {"first_name": "Anna", "phone": "030 5551", "custom1": "[result:pin]"}


@pytest.mark.parametrize(("text", "said"), [
    ("Hello {first_name}!", "Hello Anna!"),
    ("Hello [contact:first_name]!", "Hello Anna!"),
    ("Hello { first_name }!", "Hello Anna!"),
    ("{last_name}{nothing}[contact:nothing].", "."),        # unknown ones are nothing
    ("[transmission:destination:phone]", "030 5551"),
    ("[result:age] of {first_name}", "[result:age] of Anna"),
    ("{first_name", "{first_name"),
    ("a { b } {} {a b} [x] [] [other:thing]", "a { b } {} {a b} [x] [] [other:thing]".replace("{ b }", "")),
    ("{custom1}", "(result:pin)"),      # what somebody is called is no placeholder
    ("[{first_name}]", "[Anna]"),
])
def test_contact_fields(text: str, said: str) -> None:
    assert filled(text, ANNA) == said


def test_the_number_that_is_called_goes_before_the_contacts_own() -> None:
    assert filled("[transmission:destination:phone]", {**ANNA, "transmission:destination:phone": "+4930"}) == "+4930"


@pytest.mark.parametrize(("text", "said"), [
    ("You said [result:age].", "You said 22."),
    ("You said [result:name].", "You said ."),
    ("[result:age", "[result:age"),
    ("{age} [contact:age]", "{age} [contact:age]"),
])
def test_results(text: str, said: str) -> None:
    assert with_results(text, {"age": "22"}) == said
    assert has_results(text) is (text != said)


@given(st.text(alphabet="{}[]:_ab", max_size=60))
def test_nothing_is_lost_but_placeholders(text: str) -> None:
    assert with_results(text, {}) == text       # `result:` cannot be made of these
    assert set(filled(text, {})) <= set(text)
