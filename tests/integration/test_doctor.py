"""`ringward doctor` names what is wrong and the command that mends it."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.asterisk import Asterisk
from tests.clean_databases import beside
from tests.running_system import ringward, running_system

FREE = {"RINGWARD_API": "127.0.0.1:0", "RINGWARD_SIP": "127.0.0.1:0"}


def findings(home: Path, **variables: str) -> dict[str, dict[str, Any]]:
    done = ringward(home, "doctor", "--json", **{**FREE, **variables})
    result = json.loads(done.stdout)
    assert done.returncode == (0 if result["ok"] else 1)
    assert result["ok"] is not bool(result["findings"])
    return {found["part"]: found for found in result["findings"]}


def test_a_machine_that_is_set_up_is_well(tmp_path: Path, asterisk: Asterisk) -> None:
    assert findings(tmp_path) == {}
    assert ringward(tmp_path, "doctor", **FREE).stdout == "all is well\n"


def test_an_old_asterisk(tmp_path: Path) -> None:
    program = tmp_path / "asterisk"
    program.write_text("#!/bin/sh\necho Asterisk 20.1.0\n")
    program.chmod(0o755)
    found = findings(tmp_path / "home", PATH=f"{tmp_path}:{os.environ['PATH']}", RINGWARD_CACHE=str(tmp_path / "cache"))
    assert "20.1.0, older than 22.10.1" in found["asterisk"]["problem"]
    assert found["asterisk"]["mend"] == "make setup"


@pytest.mark.parametrize(("part", "kind"), [("api", socket.SOCK_STREAM), ("sip", socket.SOCK_DGRAM)])
def test_a_taken_port(part: str, kind: socket.SocketKind, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        found = findings(tmp_path, **{f"RINGWARD_{part.upper()}": address})
    assert list(found) == [part]
    assert address in found[part]["problem"]
    assert found[part]["mend"].endswith(f"--{part} 127.0.0.1:0")


def test_a_trunk_without_an_address(tmp_path: Path) -> None:
    found = findings(tmp_path, RINGWARD_TRUNK="no-such-carrier.invalid:5060")
    assert list(found) == ["trunk"]
    assert "no-such-carrier.invalid" in found["trunk"]["problem"]
    assert found["trunk"]["mend"].endswith("--trunk HOST:PORT")
    found = findings(tmp_path, RINGWARD_TRUNKS='[{"name": "b", "address": "no-such-carrier.invalid:5060"}]')
    assert list(found) == ["trunk b"] and "RINGWARD_TRUNKS" in found["trunk b"]["mend"]


def test_a_missing_voice(tmp_path: Path) -> None:
    found = findings(tmp_path, RINGWARD_VOICE=f"piper:{tmp_path}/no-such-voice.onnx")
    assert list(found) == ["voice"]
    assert found["voice"]["mend"] == "export RINGWARD_VOICE=pico"


def test_an_unreachable_database(tmp_path: Path) -> None:
    found = findings(tmp_path, DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert list(found) == ["database"]
    assert "cannot be reached" in found["database"]["problem"]
    assert "DATABASE_URL" in found["database"]["mend"]


def test_a_database_without_tables(tmp_path: Path, postgres_url: str) -> None:
    assert findings(tmp_path, DATABASE_URL=beside(postgres_url, "template1"))["database"]["mend"] == "ringward migrate"


def test_a_wrong_ami_secret(tmp_path: Path, start_asterisk: Callable[..., Asterisk]) -> None:
    port = str(start_asterisk().ami_port)
    found = findings(tmp_path, RINGWARD_AMI_PORT=port, RINGWARD_AMI_SECRET="wrong")
    assert list(found) == ["ami"]
    assert "secret" in found["ami"]["problem"]
    assert "RINGWARD_AMI_SECRET" in found["ami"]["mend"]


def test_a_running_system_is_well(tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        done = ringward(system.home, "doctor")
        assert (done.returncode, done.stdout) == (0, "all is well\n")
