import pytest
from aiohttp.test_utils import make_mocked_request

from api.errors import ApiError
from api.ictcore.media import download, ending, told_type


@pytest.mark.parametrize(("content_type", "expected"), [
    ("text/plain; charset=utf-8", "txt"), ("text/html", "html"), ("application/pdf", "pdf"), ("image/jpeg", "jpg"),
    ("a/b", ""), ("", "")])
def test_a_type_has_its_usual_ending(content_type: str, expected: str) -> None:
    assert ending(content_type) == expected


def test_no_browser_opens_a_file_as_a_page_of_this_server() -> None:
    headers = download(b"<script>", "text/html", 'a";\r\nb.html').headers
    assert headers["Content-Disposition"] == 'attachment; filename="a____b.html"'
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize(("given", "told"), [
    ("text/html", "text/html"), ("Text/HTML; charset=UTF-8; x=y", "text/html; charset=UTF-8"),
    ('text/plain; charset="a b"', "text/plain"), ("application/vnd.oasis.opendocument.text",) * 2])
def test_the_type_of_an_upload_is_kept_with_its_charset(given: str, told: str) -> None:
    assert told_type(make_mocked_request("PUT", "/", {"Content-Type": given})) == told


def test_a_type_that_could_not_be_told_again_is_refused() -> None:
    with pytest.raises(ApiError) as refused:
        told_type(make_mocked_request("PUT", "/", {"Content-Type": f"a/{'b' * 61}"}))
    assert refused.value.status == 415
