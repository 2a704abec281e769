import pytest

from api.ictcore.media import download, ending


@pytest.mark.parametrize(("content_type", "expected"), [
    ("text/plain; charset=utf-8", "txt"), ("text/html", "html"), ("application/pdf", "pdf"), ("image/jpeg", "jpg"),
    ("a/b", ""), ("", "")])
def test_a_type_has_its_usual_ending(content_type: str, expected: str) -> None:
    assert ending(content_type) == expected


def test_no_browser_opens_a_file_as_a_page_of_this_server() -> None:
    headers = download(b"<script>", "text/html", 'a";\r\nb.html').headers
    assert headers["Content-Disposition"] == 'attachment; filename="a____b.html"'
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Security-Policy"] == "sandbox"
