"""All that the engine may say on AMI, as a grammar: what does not fit, to the byte, is told.

Independent of `engine/switch/asterisk/encoder.py` on purpose: written from what the verbs of `dialplans/asterisk` read.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

OWN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"                # a leg that we dialled
LEG = rf"(?:{OWN}|[0-9]{{1,12}}\.[0-9]{{1,12}})"
CHANNEL = rf"(?:{LEG}|(?:PJSIP|Local)/[A-Za-z0-9@._-]{{1,80}}(?:;[12])?)"
SOUND = r"(?:[a-z0-9-]{1,40}/){0,3}[0-9A-Za-z._-]{0,100}"
NUMBER = r"[0-9]{1,36}"
HOST = r"(?:[0-9A-Za-z.-]{1,253}|\[[0-9a-f:]{2,45}\]):[0-9]{1,5}"
DATABASE = r"(?:rw|rwp|fb)/[0-9a-z._/-]{1,170}"
VARIABLES = {
    "RW_ASK": SOUND, "RW_TAKEN": SOUND, "RW_F": SOUND, "RW_TRIES": "[0-9]{1,3}", "RW_PEER": f"(?:{CHANNEL})?",
    "RW_ST": "talk", "RW_NUM": "[0-9]{0,20}", "RW_S": "[0-9]{1,9}", "RW_LAST": "[01]{2}", "RW_MAX": "[0-9]{1,3}",
    "RW_TO": "[0-9]{1,5}", "RW_R": "[0-9]{1,19}-[0-9]{1,6}", "RW_SEC": r"[0-9]{1,5}(?:\.[0-9]{1,6})?",
    "RW_VO": "[a-z]{2}", "RW_K": rf"(?:[0-9]|{DATABASE})", "RW_DK": "[0-9x]", "RW_PIN": "(?:[0-9]{0,12}|x)",
    "RW_PT": "[0-9]{1,2}", "RW_AMD": "1?", "RW_V": r"[0-9A-Za-z./_:-]{0,900}",
    r"GROUP\(rw-phone\)": NUMBER, r"TIMEOUT\(absolute\)": "900", "RW_BOOT": "[0-9a-f]{32}",
}
ASSIGNED = "|".join(f"{name}={value}" for name, value in VARIABLES.items())
ORDER_ID = rf"(?:order:{LEG})"
ANY_ID = r"[0-9a-zA-Z_/.:-]{1,120}"     # panoramisk's own
# an action's headers: those that it must have, then those that it may
GRAMMAR: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "login": ({"Username": "[a-z]+", "Secret": r"[0-9A-Za-z_-]+"}, {"Events": "[a-z,]+"}),
    "logoff": ({}, {}),
    "ping": ({}, {}),
    "coreshowchannels": ({}, {}),
    "dbgettree": ({"Family": "(?:rw|rwp|fb|rw_endpoint)"}, {}),
    "getvar": ({"Variable": "(?:UNIQUEID|RW_BOOT)"}, {"Channel": LEG}),
    "setvar": ({"Variable": rf"(?:{'|'.join(VARIABLES)}|DB_DELETE\({DATABASE}\))", "Value": r"[0-9A-Za-z./_-]{0,900}"},
               {"Channel": LEG}),
    "redirect": ({"Channel": LEG, "Context": "rw-(?:play|hold|alarm|reject|step|transfer)", "Exten": "[0-9a-z]{1,20}",
                  "Priority": "1"}, {}),
    "bridge": ({"Channel1": CHANNEL, "Channel2": LEG, "Tone": "no"}, {}),
    "hangup": ({"Channel": LEG, "Cause": "[0-9]{1,3}"}, {}),
    "absolutetimeout": ({"Channel": LEG, "Timeout": "[0-9]{1,5}"}, {}),
    "originate": ({"ChannelId": OWN,
                   "Channel": rf"(?:PJSIP/[a-z0-9-]{{1,20}}\.[0-9a-f]{{8}}/sip:{NUMBER}@{HOST}|Local/s@rw-idle/n)",
                   "Context": "rw-(?:ask|alarm|step|put)", "Exten": "[a-z]{1,10}", "Priority": "(?:1|first)",
                   "Async": "true", "Timeout": "[0-9]{1,6}", "Variable": ASSIGNED},
                  {"CallerID": "[0-9]{1,20}"}),
}
REPEATED = {"Variable"}


def unexpected(written: bytes) -> list[str]:
    """Whatever an engine said that it may not; `written` may end within an action."""
    return list(_unexpected(written))


def actions(written: bytes) -> Counter[str]:
    """How often each was said."""
    return Counter(_lines(block)[0][1].lower() for block in _blocks(written))


def _blocks(written: bytes) -> list[bytes]:
    return [it for it in written.split(b"\r\n\r\n")[:-1] if it]


def _lines(block: bytes) -> list[tuple[str, str]]:
    pairs = [line.partition(": ") for line in block.decode("ascii", "backslashreplace").split("\r\n")]
    return sorted(((name, value) for name, _, value in pairs), key=lambda it: it[0].lower() != "action")


def _unexpected(written: bytes) -> Iterator[str]:
    for block in _blocks(written):
        if not re.fullmatch(rb"[\x20-\x7e\r\n]*", block) or b"\n" in block.replace(b"\r\n", b""):
            yield f"a control character: {block!r}"
            continue
        (first, action), *headers = _lines(block)
        must, may = GRAMMAR.get(action.lower(), (None, {}))
        if first.lower() != "action" or must is None:
            yield f"an action that is none of ours: {block!r}"
            continue
        names = Counter(name for name, _ in headers if name != "ActionID")
        if missing := must.keys() - names.keys():
            yield f"{action} without {sorted(missing)}: {block!r}"
        if any(count > 1 and name not in REPEATED for name, count in names.items()):
            yield f"{action} with a header twice: {block!r}"
        allowed = {**must, **may, "ActionID": ANY_ID + "(?:,[a-z0-9]+:[^\r\n]{0,80})?"}
        for name, value in headers:
            if name not in allowed or not re.fullmatch(allowed[name], value):
                yield f"{action} with {name}: {value!r}"
