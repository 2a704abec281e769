"""PDFs of strangers: read by a process of its own."""

import io
import time

import pypdf
import pytest

from api.ictcore.pdf import Pages, Pdfs, Unreadable


def pdf(pages: int = 1, *, width: float = 595.3, height: float = 841.9, password: str | None = None) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width, height)
    if password is not None:
        writer.encrypt(password, "owner", algorithm="AES-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# its page is its own parent's child, over and over
CIRCLE = (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
          b"2 0 obj<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>endobj\n"
          b"trailer<</Root 1 0 R/Size 3>>\n%%EOF")


async def test_pages_and_the_size_of_the_first_are_told() -> None:
    assert await Pdfs().pages(pdf(3)) == Pages(pages=3, width=595, height=842)


async def test_who_needs_no_password_to_read_it_can_send_it() -> None:
    assert (await Pdfs().pages(pdf(2, password=""))).pages == 2


@pytest.mark.parametrize("data", [b"%PDF-1.7 and nothing more", b"\x89PNG", pdf()[:60], pdf(0), pdf(password="secret"),
                                  CIRCLE, pdf(width=1e300)])
async def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        await Pdfs().pages(data)


async def test_two_become_one() -> None:
    pdfs = Pdfs()
    both = await pdfs.joined(pdf(1, width=100), pdf(2))
    assert await pdfs.pages(both) == Pages(pages=3, width=100, height=842)
    with pytest.raises(Unreadable):
        await pdfs.joined(pdf(), b"nothing")


async def test_whoever_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Unreadable):
        await Pdfs(timeout_s=0.01).pages(pdf())
    assert time.monotonic() - began < 5
