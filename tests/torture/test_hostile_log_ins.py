"""Passwords, tokens and sessions tried by force; and the token of somebody who is not believed.

Limited by user and address, over all ways in together; and the owner is not shut out: neither at once, with a password
that was right before, nor from elsewhere, nor for good.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api.ictcore.log_ins import OF_ONE_ADDRESS, OF_ONE_USER, WINDOW_S, LogIns
from tests.directory_site import directory_site
from tests.ictcore_site import signing_key
from tests.torture.hostile_estate import Estate, Heard
from tests.torture.hostile_routes import Route
from tests.torture.report import Tally

AUTHENTICATE = Route("ictcore", "POST", "/authenticate")
SENSAPHONE = Route("sensaphone", "create", "/login")
ACCOUNTS = Route("ictcore", "GET", "/accounts")
TRIES = 60


@pytest.fixture
async def estate(database_url: str) -> AsyncIterator[Estate]:
    async with directory_site(database_url) as site:
        await site.pool.execute("INSERT INTO signing_keys (id, private_key) VALUES ('k1', $1)", signing_key())
        yield await Estate.built(site.api.session, site.root, site.pool)


async def _wrong(estate: Estate, way: str) -> Heard:
    """From another address each time, by headers that anybody may write."""
    name, password = str(estate.own["username"]), secrets.token_hex(8)
    claimed = f"203.0.113.{secrets.randbelow(256)}"
    says = {"X-Forwarded-For": claimed, "X-Real-IP": claimed, "Forwarded": f"for={claimed}"}
    match way:
        case "basic":
            basic = base64.b64encode(f"{name}:{password}".encode()).decode()
            return await estate.ask(ACCOUNTS, headers={"Authorization": f"Basic {basic}", **says})
        case "authenticate":
            return await estate.ask(AUTHENTICATE, body={"username": name, "password": password}, headers=says)
        case _:
            return await estate.ask(SENSAPHONE, body={"user_name": name, "password": password}, headers=says)


@pytest.mark.parametrize("way", ["basic", "authenticate", "sensaphone", "all of them"])
async def test_a_password_cannot_be_tried_out(estate: Estate, way: str, tally: Tally) -> None:
    ways = ["basic", "authenticate", "sensaphone"] if way == "all of them" else [way]
    answers = await asyncio.gather(*(_wrong(estate, ways[n % len(ways)]) for n in range(TRIES)))
    tally.faults += len(answers)
    limited = [it for it in answers if it.status == 423 or b"too many" in it.body]
    assert len(answers) - len(limited) == OF_ONE_USER, "wrong ones that were looked at"
    tokens = [Route("ringward", "GET", "/contacts")]
    assert [(await estate.ask(it)).status for it in tokens] == [200], "who has a token is not shut out"


def test_the_owner_comes_in_again_and_from_elsewhere_at_once() -> None:
    """The clock is an argument; the limit is of a user from an address."""
    now = [0.0]
    log_ins = LogIns(lambda: now[0])

    async def wrong(name: str, address: str) -> bool:
        try:
            async with log_ins.one_try(name, address):
                raise ZeroDivisionError
        except ZeroDivisionError:
            return True
        except Exception:
            return False

    async def story() -> None:
        assert [await wrong("anna", "1.1.1.1") for _ in range(50)].count(True) == OF_ONE_USER
        log_ins.check("anna", "2.2.2.2")
        assert [await wrong(f"u{n}", "1.1.1.1") for n in range(200)].count(True) == OF_ONE_ADDRESS - OF_ONE_USER
        log_ins.check("anna", "2.2.2.2")
        now[0] += WINDOW_S + 1
        log_ins.check("anna", "1.1.1.1")

    asyncio.run(story())


async def test_tokens_and_sessions_are_too_many_to_be_guessed(estate: Estate, tally: Tally) -> None:
    """Every guess is one look-up by a digest; what was guessed tells nothing of what is there."""
    contacts, groups = Route("ringward", "GET", "/contacts"), Route("sensaphone-uri", "GET", "/{acctid}/{session}/user")
    token = estate.headers["ringward"]["API-TOKEN"]
    guesses = [token[:-1], token + "x", token.upper(), token.swapcase(), "", " ", "rwo_", "rwo_" + "0" * 43, "x" * 7000,
               "' OR '1'='1", token[:20] + "%", *(f"rwo_{secrets.token_urlsafe(32)}" for _ in range(100))]
    for guess in guesses:
        got = await estate.ask(contacts, headers={"API-TOKEN": guess})
        assert got.status == 401 and len(got.body) < 300, (guess[:50], got)
        if "/" not in guess and guess.strip():
            session = await estate.ask(groups, path={"session": guess.replace("%", "%25").replace(" ", "%20")})
            assert session.is_refused, (guess[:50], session)
    tally.faults += len(guesses)


async def test_no_forged_token_is_believed(estate: Estate, tally: Tally) -> None:
    """Of every kind of key and algorithm, tampered, expired, of a foreign key or organisation."""
    issued = (await estate.ask(AUTHENTICATE, body=estate.body(AUTHENTICATE))).json["token"]
    claims = jwt.decode(issued, options={"verify_signature": False})
    own = load_pem_private_key(signing_key().encode(), None)
    assert isinstance(own, rsa.RSAPrivateKey)
    now, kid = int(time.time()), {"kid": "k1"}
    other = await Estate.built(estate.session, estate.root, estate.pool)
    head, body, signature = issued.split(".")
    admin = _part(body.replace("-", "+").replace("_", "/"))
    forged = {
        "none": jwt.encode(claims, None, "none", kid), "no signature": f"{head}.{body}.",
        "no head": f".{body}.{signature}",
        **{name: f"{_text(name.encode())}.{body}.{signature}" for name in (
            '{"alg":"None","kid":"k1"}', '{"alg":"nOnE","kid":"k1"}', "[]", '{"alg":"RS256","kid":[]}', "null")},
        "EC": jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", kid),
        "Ed25519": jwt.encode(claims, ed25519.Ed25519PrivateKey.generate(), "EdDSA", kid),
        "HS256 with the kid": jwt.encode(claims, "k1" * 20, "HS256", kid),
        "PS256": jwt.encode(claims, own, "PS256", kid), "RS384": jwt.encode(claims, own, "RS384", kid),
        "a foreign key with its jwk": jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256", {
            **kid, "jku": "http://127.0.0.1/", "x5u": "http://127.0.0.1/"}),
        "kid of SQL": jwt.encode(claims, own, "RS256", {"kid": "k1' OR '1'='1"}),
        "kid of a path": jwt.encode(claims, own, "RS256", {"kid": "/dev/null"}),
        "expired": jwt.encode({**claims, "exp": now - 31}, own, "RS256", kid),
        "not yet": jwt.encode({**claims, "nbf": now + 7200}, own, "RS256", kid),
        "for ever": jwt.encode({**claims, "exp": 10**400}, own, "RS256", kid),
        "another's": jwt.encode({**claims, "organisation_id": other.organisation_id}, own, "RS256", kid),
        "another's user": jwt.encode({**claims, "user_id": other.own["user"]}, own, "RS256", kid),
        "tampered": f"{head}.{_text(admin.replace(b'organisation_id', b'organisation_ID'))}.{signature}",
        "another's body": f"{head}.{_text(b'{}')}.{signature}", "parts": f"{issued}.x", "dots": "....",
    }
    assert (await estate.ask(ACCOUNTS, headers={"Authorization": f"Bearer {issued}"})).status == 200
    for what, token in forged.items():
        for header in ("Authorization", "Authentication"):
            sent = {"Authorization": "", header: f"Bearer {token}"}
            got = await estate.ask(ACCOUNTS, headers=sent)
            assert got.status == 401, (what, got)
    tally.faults += 2 * len(forged)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _part(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
