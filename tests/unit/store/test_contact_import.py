"""A contact as a line of COPY's text format."""

import pytest

from engine.store.contact_import import ImportedContact, copied


def row(phone: str = "", number: str | None = None, address: str = "", description: str = "") -> ImportedContact:
    return (7, phone, number, "", "", "", address, "", "", "", description)


@pytest.mark.parametrize("given, line", [
    (row("030", "+4930"), "7\t030\t+4930\t\t\t\t\t\t\t\t\n"), (row("030"), "7\t030\t\\N\t\t\t\t\t\t\t\t\n"),
    (row(address="a\tb", description="ä"), "7\t\t\\N\t\t\t\ta\\tb\t\t\t\tä\n"),
    (row(address="a\r\nb\\N"), "7\t\t\\N\t\t\t\ta\\r\\nb\\\\N\t\t\t\t\n"),
    (row(description="\\."), "7\t\t\\N\t\t\t\t\t\t\t\t\\\\.\n"),
])
def test_a_line(given: ImportedContact, line: str) -> None:
    assert copied(given) == line
