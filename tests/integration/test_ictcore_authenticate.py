"""Logging in to the ICTCore API, on a real Postgres over real HTTP. Named by the sections of its guide."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.ictcore_site import PASSWORD, IctcoreSite, ictcore_site, says, signing_key

KEY = {"kid": "k1"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def claims_of(site: IctcoreSite) -> dict[str, Any]:
    _, name = await site.somebody()
    answer = await site.client()("POST", "/authenticate", {"username": name, "password": PASSWORD})
    return dict(jwt.decode(answer.body["token"], options={"verify_signature": False}))


async def status(site: IctcoreSite, token: str, header: str = "Authorization") -> int:
    return (await site.client(**{header: f"Bearer {token}"})("GET", "/accounts")).status


# --- Authentication [/authenticate]

async def test_authenticate_post(site: IctcoreSite) -> None:
    user_id, name = await site.somebody(is_admin=True)
    answer = await site.client()("POST", "/authenticate", {"username": name, "password": PASSWORD})
    assert answer.body == {
        "token": answer.body["access_token"], "access_token": answer.body["access_token"], "token_type": "Bearer",
        "expires_in": 31104000, "scope": "All", "user_id": user_id, "username": name, "is_admin": "1"}
    public = load_pem_private_key(signing_key().encode(), None).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    claims = jwt.decode(answer.body["token"], public, algorithms=["RS256"])
    assert claims["exp"] - claims["iat"] == 31104000 and claims["nbf"] == claims["iat"]
    assert (claims["user_id"], claims["username"], claims["is_admin"], claims["api-version"]) == (
        user_id, name, "1", "1.0")


async def test_authenticate_with_an_address_or_an_id(site: IctcoreSite) -> None:
    user_id, name = await site.somebody()
    await site.pool.execute("UPDATE users SET email = 'a@example.org' WHERE id = $1", user_id)
    for who in ({"username": "A@example.org"}, {"email": "a@example.org"}, {"user_id": user_id},
                {"user_id": str(user_id)}):
        answer = await site.client()("POST", "/authenticate", {**who, "password": PASSWORD})
        assert answer.body["username"] == name, answer


WRONG = [
    {"password": "wrong"}, {"password": ""}, {"username": "nobody"}, {"username": ""}, {"password": "a\0b"},
    {"password": "p" * 200}, {"username": "no\0body"}, {"username": "\ud800"},
]


async def test_authenticate_refuses(site: IctcoreSite) -> None:
    for wrong in WRONG:
        _, name = await site.somebody()     # each time another, who has all tries left
        answer = await site.client()("POST", "/authenticate", {"username": name, "password": PASSWORD, **wrong})
        assert says(answer) == (401, "Invalid or missing username or password"), wrong
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_authenticate_cancel_ends_the_token(site: IctcoreSite) -> None:
    _, client = await site.user()
    assert (await client("POST", "/authenticate/cancel")).body is True
    assert says(await client("POST", "/authenticate/cancel"))[0] == 401


async def test_five_wrong_passwords_a_minute(site: IctcoreSite) -> None:
    _, name = await site.somebody()
    other, _ = await site.user()
    wrong = {"username": name, "password": "wrong"}
    answers = await asyncio.gather(*(site.client()("POST", "/authenticate", wrong) for _ in range(12)))
    assert sorted(it.status for it in answers) == [401] * 5 + [423] * 7
    late = await site.client()("POST", "/authenticate", {**wrong, "password": PASSWORD})
    assert says(late)[0] == 423 and 0 < int(late.headers["Retry-After"]) <= 60
    assert (await site.client()("POST", "/authenticate", {"user_id": other, "password": PASSWORD})).status == 200


# --- how a request says who it comes from

async def test_token_and_password_in_their_headers(site: IctcoreSite) -> None:
    _, name = await site.somebody()
    token = (await site.client()("POST", "/authenticate", {"username": name, "password": PASSWORD})).body["token"]
    for header in ("Authorization", "Authentication"):
        assert await status(site, token, header) == 200
        assert await status(site, token + "x", header) == 401
    for password, wanted in ((PASSWORD, 200), ("wrong", 401)):
        basic = base64.b64encode(f"{name}:{password}".encode()).decode()
        assert (await site.client(Authorization=f"Basic {basic}")("GET", "/accounts")).status == wanted
    for nonsense in ("Basic", "Basic é", "Basic x", "Basic ////", "Bearer", "Digest x", "", f"Basic {token}"):
        assert (await site.client(Authorization=nonsense)("GET", "/accounts")).status == 401
    assert (await site.client()("GET", "/accounts")).status == 401


async def test_a_page_of_another_site_does_not_get_a_browsers_password(site: IctcoreSite) -> None:
    _, name = await site.somebody()
    basic = "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
    foreign = {"Authorization": basic, "Sec-Fetch-Site": "cross-site"}
    assert (await site.client(**foreign)("GET", "/accounts")).status == 401


async def test_many_requests_with_a_right_password_at_once_are_no_wrong_tries(site: IctcoreSite) -> None:
    _, name = await site.somebody()
    client = site.client(Authorization="Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode())
    assert {it.status for it in await asyncio.gather(*(client("GET", "/accounts") for _ in range(12)))} == {200}


# --- tokens that are none

async def test_forged_tokens(site: IctcoreSite) -> None:
    claims = await claims_of(site)
    own = load_pem_private_key(signing_key().encode(), None)
    assert isinstance(own, rsa.RSAPrivateKey)
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    foreign = rsa.generate_private_key(65537, 2048)
    other = await site.other()
    other_org = other.directory.org.id
    other_user, _ = await other.user()
    now = int(time.time())
    assert await status(site, jwt.encode(claims, own, "RS256", KEY)) == 200
    put_back = {**claims, "iat": now + 3600, "nbf": now + 3600}     # by an hour, since somebody logged in
    assert await status(site, jwt.encode(put_back, own, "RS256", KEY)) == 200
    for name, token in {
        "no algorithm": jwt.encode(claims, None, "none", KEY),
        "the public key as a secret": _hs256(claims, public),
        "another key": jwt.encode(claims, foreign, "RS256", KEY),
        "another kid": jwt.encode(claims, foreign, "RS256", {"kid": "k2"}),
        "a kid that is not ours": jwt.encode(claims, own, "RS256", {"kid": "../k1"}),
        "no kid": jwt.encode(claims, own, "RS256"),
        "another algorithm": jwt.encode(claims, own, "RS512", KEY),
        "expired": jwt.encode({**claims, "exp": now - 60}, own, "RS256", KEY),
        "not yet": jwt.encode({**claims, "nbf": now + 7200}, own, "RS256", KEY),
        "for ever": jwt.encode({n: it for n, it in claims.items() if n != "exp"}, own, "RS256", KEY),
        "another issuer": jwt.encode({**claims, "iss": "ictcore"}, own, "RS256", KEY),
        "another organisation": jwt.encode({**claims, "organisation_id": other_org}, own, "RS256", KEY),
        "another organisation's user": jwt.encode({**claims, "user_id": other_user}, own, "RS256", KEY),
        "nobody": jwt.encode({**claims, "user_id": 10**9}, own, "RS256", KEY),
        "out of range": jwt.encode({**claims, "user_id": 2**70}, own, "RS256", KEY),
        "an older password": jwt.encode({**claims, "version": 0}, own, "RS256", KEY),
        "a null": jwt.encode({**claims, "jti": "\0"}, own, "RS256", KEY),
        "text": jwt.encode({**claims, "user_id": "x"}, own, "RS256", KEY),
        "long": "e" * 8000,
    }.items():
        assert await status(site, token) == 401, name


async def test_a_user_who_moved_to_another_organisation_logs_in_anew(site: IctcoreSite) -> None:
    user_id, client = await site.user()
    other = await site.other()
    await site.pool.execute("UPDATE users SET organisation_id = $2 WHERE id = $1", user_id, other.directory.org.id)
    assert says(await client("GET", "/accounts"))[0] == 401


async def test_the_key_is_made_with_the_first_token(database_url: str) -> None:
    async with ictcore_site(database_url, has_key=False) as site:
        assert await site.pool.fetchval("SELECT count(*) FROM signing_keys") == 1
        assert (await site.admin("GET", "/accounts")).status == 200


def _hs256(claims: dict[str, Any], public: bytes) -> str:
    """By hand: the library refuses to make it."""
    import hashlib
    import hmac
    import json

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    signed = part(json.dumps({"alg": "HS256", "typ": "JWT", **KEY}).encode()) + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(public, signed, hashlib.sha256))).decode()
