import pytest

from api.ictcore.texts import BINARY, GSM, UNICODE, encoding


@pytest.mark.parametrize(("text_type", "expected"), [
    ("plain", GSM), ("GSM", GSM), ("ISO-8859-1", GSM), ("unicode", UNICODE), ("UTF-8", UNICODE), ("UTF-16BE", UNICODE),
    ("binary", BINARY)])
def test_the_encoding_follows_from_the_type(text_type: str, expected: int) -> None:
    assert encoding(text_type) == expected
