"""Every query with an organisation, asked in another organisation's name while its own makes honest use of every
route: it gives nothing and does nothing.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.directory_site import DirectorySite, directory_site
from tests.torture.hostile_estate import Estate, kind_of
from tests.torture.hostile_estate import Heard as Said
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.organisation_queries import Heard, asked_by_others, asked_twice, found
from tests.torture.report import Tally

MADE = {
    "phone": ("ringward", "POST", "/users/{id}/phones"), "contact": ("ringward", "POST", "/contacts"),
    "group": ("ringward", "POST", "/contact-groups"), "member": ("ringward", "POST", "/contact-groups/{id}/members"),
    "recording": ("ringward", "POST", "/recordings"), "dnc": ("ringward", "POST", "/dnc-lists"),
    "webhook": ("ringward", "POST", "/webhooks"),
    **{kind: ("ictcore", "POST", f"/{kind}s") for kind in (
        "document", "template", "text", "account", "did", "extension", "program", "provider", "role",
        "campaign", "transmission")}}


@pytest.fixture
async def site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[DirectorySite, Heard]]:
    with asked_by_others(monkeypatch) as heard:
        async with directory_site(database_url) as made:
            heard.nobody = (await made.world.directory.create_organisation("Niemand")).organisation_id
            yield made, heard


async def test_no_query_gives_or_does_anything_in_another_organisations_name(
        site: tuple[DirectorySite, Heard], tally: Tally) -> None:
    made, heard = site
    estate = await Estate.built(made.api.session, made.root, made.pool, has_engine=True)
    await _engine_worked(estate)
    routes = sorted((it for it in all_routes() if not it.is_endless), key=_order)
    for route in routes:
        if not _removes(route):
            await _asked(estate, route)
    await _asked_again(estate)
    await _asked_directly(estate, heard)
    for route in routes:
        if _removes(route):
            await _asked(estate, route)
    await _organisation_removed(made)
    assert not heard.others
    assert set(found()) - heard.noticed == set()
    tally.faults += len(heard.noticed)


async def _asked_directly(estate: Estate, heard: Heard) -> None:
    """As the stores do, for what no route above leads to."""
    org, own, pool = estate.organisation_id, estate.own, estate.pool
    hotline = await pool.fetchval("SELECT number FROM hotlines WHERE id = $1", own["hotline"])
    file = await pool.fetchval("SELECT id FROM recordings WHERE organisation_id = $1 AND audio IS NOT NULL", org)
    waits = await estate.made("ictcore", "POST", "/transmissions")
    await pool.execute("UPDATE webhook_deliveries SET state = 'dead' WHERE id = $1", own["delivery"])
    await pool.execute("UPDATE campaigns SET status = 'paused', dnc_list_ids = ARRAY[$2::bigint] WHERE id = $1",
                       own["campaign"], own["dnc"])
    await pool.execute("UPDATE alarms SET plan = jsonb_set(plan, '{recording_id}', to_jsonb($2::bigint)) "
                       "WHERE id = $1", own["alarm"], file)
    campaign, user = own["campaign"], own["user"]
    await pool.execute("UPDATE transmissions SET campaign_id = $2 WHERE id = $1", own["transmission"], campaign)
    for row, values in (
            ("campaign_postponed (campaign_id, contact_id, member_id, due_at) VALUES ($1, $2, 0, now())",
             (campaign, own["contact"])),
            ("user_roles (user_id, role_id) VALUES ($1, $2)", (user, own["role"])),
            ("user_permissions (user_id, permission_id) VALUES ($1, 1)", (user,)),
            ("account_programs (account_id, program_id) VALUES ($1, $2)", (own["account"], own["program"])),
            ("tokens (organisation_id, user_id, digest) VALUES ($1, $2, 'x')", (org, user))):
        await pool.execute(f"INSERT INTO {row} ON CONFLICT DO NOTHING", *values)
    stranger = await estate.made("ringward", "POST", "/contacts")
    await pool.execute("UPDATE transmissions SET campaign_id = $2, contact_id = $3, status = 'pending', due_at = now() "
                       "WHERE id = $1", await estate.made("ictcore", "POST", "/transmissions"), campaign, stranger)
    everybodys = await pool.fetchval("INSERT INTO roles (name) VALUES ('everybody') RETURNING id")
    direct: Mapping[str, tuple[Any, ...]] = {
        "alarm_book.recipient": (own["alarm"], own["recipient"]), "alarm_book.recording_exists": (file,),
        "campaigns.drop_schedules": (campaign,), "campaigns.fail_pending": (campaign, "x"),
        "group_removal.fail_waiting": ([campaign], "x"), "ictcore_users.add_role": (user, everybodys),
        "directory.revoke_tokens": (user,), "directory.set_allow_admins": (user, True), "directory.users": (),
        "dnc.used_by": (own["dnc"],), "events.after": ("0", 0, 10),
        "group_removal.break": ([campaign], "x"),
        "group_removal.lock_campaigns": ([own["group"]],), "ictcore_accounts.default_of": (user,),
        "ictcore_people.unlink": (own["group"], own["contact"]), "messages.alarms_with_recording": (file,),
        "numbers.own": ([own["number"]],), "programs.hotlines": ([own["hotline"]], []),
        "programs.users_of_program": (own["program"],), "recordings.using": (file,), "schedules.cancel": (
            "transmission", own["transmission"]), "schedules.explain": (waits, "x"),
        "transmissions.hotline_numbers": ([hotline],), "transmissions.silent_recordings": ([file],),
        "campaigns.ask_again": (campaign,), "campaigns.forget_postponed": (campaign,),
        "group_removal.forget_postponed": ([campaign],), "campaigns.result_names": (campaign,),
        "campaigns.results": (campaign, 0, 10), "ictcore_users.permissions_of": (user,),
        "ictcore_users.drop_role": (user, own["role"]), "ictcore_people.link": (own["group"], stranger),
        "ictcore_accounts.unsubscribe": (own["account"], None), "organisations.speak_anew": (),
        "users.drop_tokens": (user,), "webhooks.delivery": (own["webhook"], own["delivery"]),
        "webhooks.drop_deliveries": (own["webhook"], 10), "webhooks.replay_dead": (own["webhook"], 10)}
    async with pool.acquire() as connection:
        for name, args in direct.items():
            await asked_twice(connection, heard, found()[name], (org, *args))


async def _organisation_removed(site: DirectorySite) -> None:
    """It keeps what has a history: that goes first."""
    estate = await Estate.built(site.api.session, site.root, site.pool)
    for table in ("results", "spools", "call_logs", "alarms"):
        await site.pool.execute(f"DELETE FROM {table} WHERE organisation_id = $1", estate.organisation_id)  # noqa: S608
    await estate.ask(Route("first-responder", "DELETE", "/hotlines/{hotlineID}"))
    gone = await site.system("DELETE", f"/organisations/{estate.organisation_id}")
    assert gone.status == 204, gone


async def _engine_worked(estate: Estate) -> None:
    org, own = estate.organisation_id, estate.own
    await estate.pool.execute(
        "INSERT INTO alarm_attempts (leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at) "
        "VALUES ('a', $1, $2, $3, '+49301110001', 'main', now())", org, own["alarm"], own["recipient"])
    await estate.pool.execute(
        "INSERT INTO call_log_entries (call_log_id, organisation_id, at, type, user_id, phone_id, phone) "
        "VALUES ($1, $2, now(), 'agentCalled', 1, 2, '4930123')", own["log"], org)
    await estate.pool.execute(
        "INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number, "
        "to_number, start_time, end_time, status, cause) "
        "VALUES ('b', $1, $2, $3, 'outbound', '4930123', '49170123', now(), now(), 'answered', 16)",
        own["log"], org, own["hotline"])


async def _asked_again(estate: Estate) -> None:
    """What the routes need a second request for."""
    alarms, webhook = Route("ringward", "POST", "/alarms"), Route("ringward", "PUT", "/webhooks/{id}")
    body = estate.body(alarms)
    for _ in range(2):
        got = await estate.ask(alarms, body=body, headers={"Idempotency-Key": "once"})
        assert got.status in (200, 201), got
    await estate.ask(webhook, body={**estate.body(webhook), "isActive": True})
    for path in ("/webhooks/{id}/deliveries/{deliveryID}/replay", "/webhooks/{id}/replay-dead"):
        await estate.ask(Route("ringward", "POST", path))
    numbers = Route("ringward", "POST", "/dnc-lists/{id}/numbers")
    await estate.ask(numbers, body={"numbers": ["+49301110077"]})
    for route in all_routes():
        if not route.changes and not route.is_endless and route.api == "ringward":
            await _asked(estate, route)


async def _asked(estate: Estate, route: Route) -> Said:
    if route.api == "sensaphone":
        await estate.log_in()
    own = {**estate.own, **(await _spare(estate, route) if _removes(route) else {})}
    got = await estate.ask(route, own=own, body=estate.body(route))
    return got


async def _spare(estate: Estate, route: Route) -> dict[str, int]:
    """One more of what is removed, so that what others refer to stays."""
    kinds = [kind_of(route, at) for at, part in enumerate(route.path.strip("/").split("/")) if part.startswith("{")]
    return {kind: await estate.made(*MADE[kind]) for kind in kinds[-1:] if kind in MADE}


def _removes(route: Route) -> bool:
    return route.method in ("DELETE", "delete")


def _order(route: Route) -> tuple[bool, bool, int, bool, str]:
    """What is there is read, then changed, then removed: what belongs to something before that, who asks at last."""
    removes = _removes(route)
    asks = removes and route.path.startswith("/users/")
    return (removes, asks, -route.path.count("/") if removes else 0, route.changes, route.name)
