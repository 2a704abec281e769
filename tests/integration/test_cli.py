"""The commands, in the forms that people and scripts use them."""

import asyncio
import hashlib
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher
from click.testing import Result
from typer.testing import CliRunner

from engine.cli.main import app
from engine.vocabulary.values import EntryType
from tests.running_system import RINGWARD, environment, ringward


class Cli:
    """`ringward` on one database, in this process. `json(...)` is what stdout held: JSON and nothing else."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home, self.url = home, database_url

    def run(self, *arguments: str, text: str = "") -> Result:
        return CliRunner().invoke(
            app, [*arguments, "--home", str(self.home)], input=text, env={"DATABASE_URL": self.url})

    def json(self, *arguments: str, text: str = "") -> Any:
        done = self.run(*arguments, "--json", text=text)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, *arguments: str) -> str:
        done = self.run(*arguments, "--json")
        assert done.exit_code == 1
        assert "Traceback" not in done.stderr
        return str(json.loads(done.stdout)["error"])

    def rows(self, query: str) -> list[dict[str, Any]]:
        async def fetch() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(self.url)
            try:
                return [dict(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(fetch())


@pytest.fixture
def cli(tmp_path: Path, database_url: str) -> Cli:
    return Cli(tmp_path / "home", database_url)


def test_an_organisation_and_its_users_are_made_with_tokens_that_are_stored_as_digests(cli: Cli) -> None:
    org = cli.json("org", "create", "Feuerwehr Köln")
    assert set(org) == {"organizationID", "apiToken"}
    user = cli.json("user", "create", "anna", "--org", str(org["organizationID"]), "--admin", "--password-stdin",
                    text="geheim\n")
    assert set(user) == {"userID", "personalAccessToken"}
    assert cli.json("org", "list") == [
        {"organizationID": org["organizationID"], "name": "Feuerwehr Köln", "country": "DE", "language": "de"}]
    assert cli.json("user", "list") == [
        {"userID": user["userID"], "organizationID": org["organizationID"], "name": "anna", "admin": True,
         "allowAdmins": False, "language": "de"}]
    stored = {bytes(row["digest"]) for row in cli.rows("SELECT digest FROM tokens")}
    assert stored == {
        hashlib.sha256(token.encode()).digest() for token in (org["apiToken"], user["personalAccessToken"])}
    assert PasswordHasher().verify(cli.rows("SELECT password_hash FROM users")[0]["password_hash"], "geheim")


def test_a_users_permission_for_admins_is_switched(cli: Cli) -> None:
    org = str(cli.json("org", "create", "x")["organizationID"])
    user = str(cli.json("user", "create", "anna", "--org", org, "--language", "en")["userID"])
    assert cli.json("user", "allow-admins", user, "on")["allowAdmins"] is True
    assert cli.json("user", "allow-admins", user, "off")["allowAdmins"] is False
    assert cli.json("user", "create", "bert", "--org", org, "--allow-admins")["userID"] > int(user)
    assert [found["allowAdmins"] for found in cli.json("user", "list", "--org", org)] == [False, True]
    assert "taken" in cli.error("user", "create", "anna", "--org", org)
    assert "no organisation 99" in cli.error("user", "create", "carl", "--org", "99")
    assert cli.error("user", "allow-admins", "99", "on")


@pytest.mark.parametrize("arguments", [
    ("org", "create", " "), ("org", "create", "two\nlines"), ("org", "create", "x", "--language", "xx"),
    ("org", "create", "x", "--country", "XYZ"), ("user", "create", "", "--org", "1"),
    ("user", "create", "anna", "--org", "1", "--language", "klingon"),
])
def test_what_nothing_could_be_done_with_later_is_refused_at_once(arguments: tuple[str, ...], cli: Cli) -> None:
    done = cli.run(*arguments, "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Invalid value" in done.stderr
    assert cli.json("org", "list") == []


def test_tokens_are_rotated_and_revoked(cli: Cli) -> None:
    org = cli.json("org", "create", "x")
    user = cli.json("user", "create", "anna", "--org", str(org["organizationID"]))
    again = cli.json("token", "rotate", "--org", str(org["organizationID"]))
    assert again["organizationID"] == org["organizationID"]
    assert again["apiToken"] != org["apiToken"]
    assert cli.json("token", "revoke", "--user", str(user["userID"])) == {"revoked": 1}
    valid = {bytes(row["digest"]) for row in cli.rows("SELECT digest FROM tokens WHERE revoked_at IS NULL")}
    assert valid == {hashlib.sha256(again["apiToken"].encode()).digest()}
    assert "either --org ID or --user ID" in cli.error("token", "revoke")
    system = cli.json("token", "create", "--system")["systemToken"]
    assert system.startswith("rws_")
    assert cli.json("token", "revoke", "--system") == {"revoked": 1}
    assert cli.error("token", "rotate", "--user", "99")


def test_numbers_go_to_the_end_of_the_pool_in_order(cli: Cli) -> None:
    assert cli.json("number", "add", "+49 30 555098") == {"added": ["+4930555098"]}
    assert cli.json("number", "add", "+4930555098", "--count", "4") == {
        "added": ["+4930555099", "+4930555100", "+4930555101"]}
    assert [row["number"] for row in cli.rows("SELECT number FROM numbers ORDER BY position")] == [
        "+4930555098", "+4930555099", "+4930555100", "+4930555101"]
    for impossible in ("030555", "+49", "+4930' OR 1=1", "hallo"):
        assert impossible in cli.error("number", "add", impossible)


def test_calls_are_followed_as_they_happen(cli: Cli) -> None:
    cli.json("org", "create", "x")
    cli.rows("""
        WITH h AS (INSERT INTO hotlines (organisation_id, name, number, is_active, channels_inbound, channels_outbound,
                                         tts_inbound, tts_outbound)
                   SELECT id, 'h', '+4930555098', true, 1, 1, '', '' FROM organisations
                   RETURNING id, organisation_id)
        INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time)
        SELECT gen_random_uuid(), organisation_id, id, '1.1', now() FROM h""")
    add = """INSERT INTO call_log_entries (call_log_id, organisation_id, at, type, phone)
              SELECT id, organisation_id, now(), '%s', '+4917100' FROM call_logs"""
    cli.rows(add % EntryType.CALLER_CONNECTED)
    with subprocess.Popen([*RINGWARD, "call", "tail", "--last", "1", "--json", "--home", str(cli.home)], text=True,
                          stdout=subprocess.PIPE, env=environment(DATABASE_URL=cli.url),
                          preexec_fn=_listens_to_ctrl_c) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["type"] == "callerConnected"
        cli.rows(add % EntryType.AGENT_CALLED)
        entry = json.loads(tail.stdout.readline())
        assert (entry["type"], entry["phone"]) == ("agentCalled", "+4917100")
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 130


def test_migrate_brings_a_new_database_up_to_date_and_says_so(cli: Cli, postgres_url: str) -> None:
    assert cli.json("migrate") == {"applied": []}


def test_without_a_system_every_command_says_how_to_start_one(tmp_path: Path) -> None:
    for command in (["call", "tail"], ["migrate"]):
        done = ringward(tmp_path / "none", *command)
        assert done.returncode == 1
        assert "DATABASE_URL" in done.stderr
        assert done.stdout == ""


def _listens_to_ctrl_c() -> None:
    """A shell that started the tests in the background has told all of them not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
