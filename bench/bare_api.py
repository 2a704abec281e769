"""The baseline of `bench/api.py`: an aiohttp application with nothing but the statements of our two operations.

`python -m bench.bare_api <port>` with DATABASE_URL. It runs the very SQL of `engine/store/sql` in the same order and
transactions, on a pool of the same size, and answers with the same JSON: no typed bodies, no checks of numbers, no
middleware, no figures, no log, no deadlines; asyncio's own loop and asyncpg's own pool, as they come.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections import Counter
from datetime import datetime
from typing import Any

import asyncpg
from aiohttp import web

from api.app import POOL_SIZE
from engine.store import queries

DIRECTORY, BOOK = queries.load("directory"), queries.load("alarm_book")
STATES = ("pending", "ringing", "acknowledged", "declined", "unreached")
POOL: web.AppKey[Any] = web.AppKey("pool", object)
PLAN = {
    "alarm_id": 0, "closing": {"de": "Danke. {acknowledged} von {needed} haben zugesagt."}, "recording_id": None,
    "needed": 1, "by_role": [], "key": "1", "decline_key": "9", "pin": "", "strategy": "parallel", "waves": [],
    "rounds": 3, "pause_s": 60, "retry_on": ["busy", "noAnswer", "mailbox", "failed"], "ring_timeout_s": 25,
    "expires_s": 1800, "amd": False,
}


async def principal(request: web.Request) -> Any:
    digest = hashlib.sha256(request.headers["API-TOKEN"].encode()).digest()
    row = await request.app[POOL].fetchrow(DIRECTORY["principal"], digest)
    if row is None:
        raise web.HTTPUnauthorized
    return row


async def get_hotline(request: web.Request) -> web.Response:
    who = await principal(request)
    row = await request.app[POOL].fetchrow(
        DIRECTORY["hotline"], who["organisation_id"], int(request.match_info["id"]))
    if row is None:
        raise web.HTTPNotFound
    return web.json_response({
        "id": row["id"], "number": row["number"], "status": row["status"], "organizationID": row["organisation_id"],
        "agents": row["agents"], "name": row["name"], "isActive": row["is_active"],
        "channelsInbound": row["channels_inbound"], "channelsOutbound": row["channels_outbound"],
        "ttsInbound": row["tts_inbound"], "ttsOutbound": row["tts_outbound"]})


async def post_alarm(request: web.Request) -> web.Response:
    """Only the bodies that the bench sends: one phone, one text, no Idempotency-Key that is known."""
    organisation = (await principal(request))["organisation_id"]
    text = await request.read()
    body, key = json.loads(text), request.headers["Idempotency-Key"]
    async with request.app[POOL].acquire() as connection, connection.transaction():
        if not await connection.fetchval(BOOK["remember_key"], organisation, key, hashlib.sha256(text).digest()):
            raise web.HTTPConflict
        own = await connection.fetchrow(BOOK["posting_organisation"], organisation)
        caps = await connection.fetchrow(BOOK["lock_budget"], organisation)
        await connection.fetchrow(BOOK["calls_placed"], organisation, caps["now"])
        plan = {**PLAN, "organisation_id": organisation, "caller_id": own["number"], "message": body["message"],
                "created_at": caps["now"].isoformat()}
        asked = {"message": body["message"]}
        alarm_id = await connection.fetchval(
            BOOK["create_alarm"], organisation, 1, json.dumps(plan), json.dumps(asked), caps["now"])
        person = {"user_id": None, "contact_id": None, "name": "", "role": "", "language": own["language"],
                  "voice": own["language"], "phones": [body["recipients"][0]["phone"]], "group_ids": [], "position": 0,
                  "state": "pending"}
        await connection.execute(BOOK["add_recipients"], organisation, alarm_id, json.dumps([person]))
        note = {"type": "created", "position": None, "phone": None, "message": "API token", "ord": 0}
        await connection.execute(BOOK["add_notes"], organisation, alarm_id, json.dumps([note]), caps["now"])
        await connection.execute(BOOK["key_made"], organisation, key, alarm_id)
    return web.json_response(await whole(request.app[POOL], organisation, alarm_id), status=201,
                             headers={"Location": f"/ringward/v1/alarms/{alarm_id}"})


async def whole(pool: Any, organisation: int, alarm_id: int) -> dict[str, Any]:
    """The alarm as the answer shows it, read in one snapshot."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(BOOK["alarm"], organisation, alarm_id)
        attempts, people, notes, orders = [
            await connection.fetch(BOOK[it], organisation, alarm_id)
            for it in ("attempts", "recipients", "notes", "orders")]
    states = Counter(it["state"] for it in people)
    return {
        "id": row["id"], "organizationID": row["organisation_id"], "state": row["state"],
        "createdAt": at(row["created_at"]), "decidedAt": at(row["decided_at"]), "finishedAt": at(row["finished_at"]),
        "needed": row["needed"], "counts": {"total": len(people), **{it: states[it] for it in STATES}},
        "request": json.loads(row["request"]),
        "orders": [{"kind": it["kind"], "recipientID": it["recipient_id"], "at": at(it["at"])} for it in orders],
        "recipients": [
            {"id": it["id"], "userID": it["user_id"], "contactID": it["contact_id"], "name": it["name"],
             "role": it["role"], "language": it["language"], "phones": it["phones"], "state": it["state"],
             "acknowledgedAt": at(it["acknowledged_at"]), "attempts": [dict(one) for one in attempts]}
            for it in people],
        "timeline": [{"at": at(it["at"]), "type": it["type"], "recipientID": it["recipient_id"], "legID": it["leg"],
                      "phone": it["phone"], "message": it["message"]} for it in notes]}


def at(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def serve(port: int) -> None:
    app = web.Application()
    app[POOL] = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=0, max_size=POOL_SIZE)
    app.add_routes([web.get("/api/v1/first-responder/hotlines/{id}", get_hotline),
                    web.post("/ringward/v1/alarms", post_alarm)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
