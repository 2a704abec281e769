"""The PJSIP objects of providers, set and deleted in a running Asterisk by ARI's push configuration.

The only file that speaks ARI, for this alone; on the loopback, with credentials of its own (config/asterisk/ari.conf).
Asterisk keeps the objects in its own database (sorcery.conf): they outlive it, the engine and Postgres. All objects of
a provider are named by its trunk, `p12`. Its endpoint is written last and carries a mark of everything that was
written, so that who compares marks knows what is as it should be. Host, user name and password are text from users:
each is of its own alphabet, or nothing is written.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from engine.switch.asterisk.encoder import checked
from engine.vocabulary.values import Provider, RingwardError

FAMILY = "rw_endpoint"      # of Asterisk's database, see sorcery.conf
TIMEOUT_S = 5.0             # of one request; Asterisk asks DNS within it
KINDS = ("registration", "auth", "identify", "endpoint")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,126}[A-Za-z0-9])?")
PASSWORD = re.compile(r"[^\x00-\x1f\x7f-\x9f;,\[\]]{0,128}")
USERNAME = re.compile(r"[^\x00-\x1f\x7f-\x9f;,\[\]\"\\]{1,128}")     # stands in quotation marks in SIP's headers
OBJECT = re.compile(r"p[0-9]{1,19}\.[0-9a-f]{8}")
FORMER = re.compile(r"p[0-9]{1,19}")        # of versions whose names could be guessed: only deleted
# that no MESSAGE is taken (its module is not loaded) makes this option free to be the mark
MARK = "message_context"
ENDPOINT = {
    "transport": "udp", "context": "rw-in", "callerid": "<0>", "allow_overlap": "no",
    "allow": "!all,alaw,ulaw", "dtmf_mode": "auto", "direct_media": "no",
    "allow_subscribe": "no", "allow_transfer": "no", "inband_progress": "no", "send_connected_line": "no",
    "send_pai": "yes", "trust_id_outbound": "yes",      # the number that calls: From says who pays
}
REGISTRATION = {
    "transport": "udp", "line": "yes", "expiration": "3600", "max_retries": "1000000", "retry_interval": "30",
    "forbidden_retry_interval": "300", "auth_rejection_permanent": "no", "max_random_initial_delay": "1",
}

Objects = Mapping[str, Mapping[str, str]]       # the options of each kind that there is to be


class PushFailed(RingwardError):
    """Asterisk did not take an object."""


class Push:
    """`rtp_timeout_s` as for the trunks of the settings."""

    def __init__(self, port: int, user: str, secret: str, rtp_timeout_s: int) -> None:
        self._url = f"http://127.0.0.1:{port}/ari/asterisk/config/dynamic/res_pjsip/"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, secret)}
        self._rtp_timeout_s = str(rtp_timeout_s)

    def objects(self, provider: Provider, name: str, *, is_known: bool) -> Objects:
        """`name`: that of all its objects. `is_known`: whoever calls from its host is known already, as another trunk.
        Raises NotEncodable."""
        checked(OBJECT, name, "provider")
        host = checked(HOST, provider.host, "host")
        username = checked(USERNAME, provider.username, "user name")
        password = checked(PASSWORD, provider.password, "password")
        made: dict[str, Mapping[str, str]] = {}
        if password:
            made["auth"] = {"auth_type": "userpass", "username": username, "password": password}
        if not is_known:
            made["identify"] = {"endpoint": name, "match": host, "srv_lookups": "no"}
        auth = name if password else ""
        user = quote(username, safe="")     # as part of a URI
        if provider.registers:
            made["registration"] = {
                **REGISTRATION, "server_uri": f"sip:{host}:{int(provider.port)}", "client_uri": f"sip:{user}@{host}",
                "contact_user": user, "outbound_auth": auth, "endpoint": name,
            }
        made["endpoint"] = {
            **ENDPOINT, "rtp_timeout": self._rtp_timeout_s, "rtp_timeout_hold": self._rtp_timeout_s,
            "outbound_auth": auth, "from_user": user, "from_domain": host,
        }
        return made

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Session"]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(self._url, headers=self._headers, timeout=timeout) as client:
            yield Session(client)


class Session:
    """One use of ARI. Raises PushFailed, whose text tells nothing of what was sent."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    async def put(self, name: str, objects: Objects, *, is_new: bool) -> None:
        """Make these the objects of this name. While that goes on the endpoint has no mark."""
        if not is_new:
            await self._ask("PUT", "endpoint", name, {MARK: ""})
        # always anew: Asterisk does not register again when only the password is another one
        await self._ask("DELETE", "registration", name)
        for kind in ("auth", "identify", "registration"):
            if kind in objects:
                await self._ask("PUT", kind, name, objects[kind])
            else:
                await self._ask("DELETE", kind, name)
        await self._ask("PUT", "endpoint", name, {**objects["endpoint"], MARK: mark(objects)})

    async def delete(self, name: str) -> None:
        """The endpoint last: as long as it is there, its name is known."""
        for kind in KINDS:
            await self._ask("DELETE", kind, name)

    async def _ask(self, method: str, kind: str, name: str, options: Mapping[str, str] | None = None) -> None:
        path = f"{kind}/{name if FORMER.fullmatch(name) else checked(OBJECT, name, 'provider')}"
        body: dict[str, Any] = {"json": {"fields": [
            {"attribute": option, "value": value} for option, value in options.items()]}} if options else {}
        try:
            async with self._client.request(method, path, **body) as answer:
                status = answer.status
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise PushFailed(f"{method} {path}: {type(error).__name__}") from None
        if status >= 300 and not (method == "DELETE" and status == 404):
            raise PushFailed(f"{method} {path}: {status}")


def mark(objects: Objects) -> str:
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:32]


def marks(rows: Mapping[str, str]) -> dict[str, str]:
    """By name, out of the rows of FAMILY in Asterisk's database; '' is a name whose objects are half written."""
    found = {}
    for key, row in rows.items():
        name = key.rpartition("/")[2]
        if OBJECT.fullmatch(name) or FORMER.fullmatch(name):
            try:
                found[name] = str(json.loads(row).get(MARK, ""))
            except (ValueError, AttributeError):
                found[name] = ""
    return found
