"""What goes into Asterisk's configuration, and what never does."""

import re
import stat

import pytest

from engine.runtime.asterisk import PATTERNS, TEMPLATES, own_folder, render, values_of, with_free_ports
from engine.runtime.folders import Home, RuntimeFailed
from engine.settings import Settings
from engine.switch.asterisk.endpoints import endpoint

GOOD = {"private": "/var/tmp/ringward-a1b2c3d4", "sip": "127.0.0.1:5060", "trunk": "10.0.0.1:5060",
        "trunk_host": "10.0.0.1", "endpoint": "trunk.0123abcd",
        "trunks": "[b.0123abcd](endpoint_of_trunks)\n[b.0123abcd](identify_of_trunks)\n"
                  "endpoint = b.0123abcd\nmatch = 10.0.0.2\n",
        "ami_host": "127.0.0.1", "ami_port": "5038", "ami_user": "ringward",
        "ami_secret": "s3cret_-", "ari_port": "8088", "ari_user": "ringward", "ari_secret": "an0ther",
        "claim_s": "2", "lease_s": "10", "ring_timeout_s": "25", "rounds": "3", "round_min_s": "5", "ask_tries": "3",
        "rtp_timeout_s": "60", "includes": '#include "/var/tmp/x/dialplans/verbs.conf"'}


def _rendered() -> dict[str, str]:
    return {file.name: render(file.read_text(), GOOD) for file in TEMPLATES.glob("*.conf")}


def test_every_name_in_the_templates_is_known_and_checked() -> None:
    assert set(GOOD) == set(PATTERNS)
    assert not [name for name, text in _rendered().items() if "{{" in text]


@pytest.mark.parametrize("name", [name for name in GOOD if name not in ("includes", "trunks")])
@pytest.mark.parametrize("evil", ["\n[evil]", "; x", " x", "/../$(x)", ""])
def test_no_value_brings_a_setting_of_its_own(name: str, evil: str) -> None:
    value = GOOD[name] + evil if evil else ""
    with pytest.raises(RuntimeFailed, match=name):
        render("x = {{" + name + "}}", {**GOOD, name: value})


@pytest.mark.parametrize("evil", [
    "[b](!)\n", "[b](endpoint_of_trunks)\n", "[b.0123abcd](endpoint_of_trunks)\nmatch = 1;2\n", "type = endpoint\n"])
def test_no_trunk_brings_a_setting_of_its_own(evil: str) -> None:
    with pytest.raises(RuntimeFailed, match="trunks"):
        render("{{trunks}}", {**GOOD, "trunks": evil})


def test_an_address_is_trusted_once(home: Home) -> None:
    trunks = [{"name": "b", "address": "10.0.0.2:5060"}, {"name": "c", "address": "10.0.0.2:5070"},
              {"name": "d", "address": "10.0.0.1:5070"}]
    settings = Settings(home=home.path, trunk="10.0.0.1:5060", trunks=trunks, ami_secret="s")  # type: ignore[arg-type]
    pjsip = render((TEMPLATES / "pjsip.conf").read_text(), values_of(home, settings))
    assert re.findall(r"^match = (.*)$", pjsip, re.M) == ["10.0.0.1", "10.0.0.2"]
    assert re.findall(r"^\[(.*)\]\(endpoint_of_trunks\)$", pjsip, re.M) == [
        endpoint(name, "s") for name in ("trunk", "b", "c", "d")]


def test_the_folder_of_acknowledgements_is_ours_alone(home: Home) -> None:
    folder = own_folder(Settings(home=home.path).acks)
    assert folder == home.path / "acks"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_managers_rights_are_exactly_these() -> None:
    manager = _rendered()["manager.conf"]
    assert re.findall(r"^(read|write) = (.*)$", manager, re.M) == [
        ("read", "call,user,system"), ("write", "call,originate,reporting")]
    assert "timestampevents = yes" in manager
    assert "webenabled = no" in manager


def test_ari_is_on_the_loopback_alone_and_serves_nothing_beside() -> None:
    http = _rendered()["http.conf"]
    assert re.findall(r"^(\w+) = (.*)$", http, re.M)[:3] == [
        ("enabled", "yes"), ("bindaddr", "127.0.0.1"), ("bindport", "8088")]
    assert "enable_static = no" in http and "enable_status = no" in http
    modules = re.findall(r"res_ari\w*", _rendered()["modules.conf"])
    assert set(modules) == {"res_ari", "res_ari_model", "res_ari_asterisk"}


def test_secrets_are_made_up_where_there_are_none() -> None:
    chosen = with_free_ports(Settings(sip="127.0.0.1:0", ami_port=0, ari_port=0))
    assert chosen.ami_secret and chosen.ari_secret and chosen.ami_secret != chosen.ari_secret
    assert chosen.ari_port and chosen.ari_port != chosen.ami_port


def test_only_named_modules_are_loaded() -> None:
    modules = _rendered()["modules.conf"]
    assert "autoload = no" in modules
    loaded = re.findall(r"^(?:load|require) = (.*)$", modules, re.M)
    assert len(loaded) == len(set(loaded))
    assert not {"app_system.so", "func_shell.so", "res_agi.so", "func_curl.so", "res_ari_channels.so"} & set(loaded)


def test_everybody_but_the_trunk_is_refused() -> None:
    pjsip = _rendered()["pjsip.conf"]
    assert re.findall(r"^match = (.*)$", pjsip, re.M) == ["10.0.0.1", "10.0.0.2"]
    assert "endpoint_identifier_order = ip\n" in pjsip
    assert "anonymous" not in pjsip
    assert "live_dangerously = no" in _rendered()["asterisk.conf"]
