"""Commands as AMI actions (see dialplans/asterisk for the verbs). Pure; raises NotEncodable.

Every action id says what the answer is good for, see `facts.py` and `redirects.py`: an `Originate` has the leg's own
id, a `Bridge` `bridge:<caller's leg>:<agent's leg>`, a `Redirect` `to:<verb>:<leg>:<number>`, a `Hangup`
`end:<leg>:<cause>`, and when it is said again `last:<leg>`, the question before leases are renewed `renew:<number>`
(`renewals.py`); all else `order:<leg>`, whose answers nobody needs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, assert_never

from engine.switch.asterisk.encoder import (
    DIALLED,
    ENDPOINT,
    FILE,
    HOST,
    PIN,
    PRESSED,
    SENT,
    TRUNK,
    VERB,
    VOICE,
    NotEncodable,
    channel_name,
    checked,
    database_key,
    digits,
    encode,
    leg_id,
    row,
    variable,
)
from engine.vocabulary.commands import (
    AskAlarm,
    Bridge,
    Dial,
    DialAlarm,
    DialProgram,
    HangUp,
    Hold,
    Play,
    Reject,
    RunStep,
    SwitchCommand,
    Transfer,
)
from engine.vocabulary.dialling import Rewrite, dialled
from engine.vocabulary.program import Prompt
from engine.vocabulary.values import AlarmAsk

Action = list[tuple[str, str]]
STEP_LIMIT_S = 900      # as the verb `step` sets it again at each step that follows
PIN_REFUSED = NO_KEY = "x"      # no key of a telephone


class Way(NamedTuple):
    """How a trunk is dialled: its endpoint, its HOST:PORT, and how it wants numbers."""

    endpoint: str
    address: str
    rewrites: Sequence[Rewrite] = ()


Trunks = Mapping[str, Way]      # by name


def verb(command: SwitchCommand) -> str | None:
    """Where a redirect leads, `context,extension`; None for orders that are none. What comes after a sound, or the
    cause of a refusal, is said in the extension: a variable would be read by the verb that the leg is just leaving."""
    match command:
        case Play(then="hold"):
            return "rw-play,hold"
        case Play(cause=cause):
            return f"rw-play,bye{int(cause)}"
        case Hold():
            return "rw-hold,s"
        case AskAlarm():
            return "rw-alarm,s"
        case Reject(cause=cause):
            return f"rw-reject,{int(cause)}"
        case RunStep(prompt=prompt):
            return f"rw-step,{checked(VERB, prompt.verb, 'step')}"
        case Transfer(number=number):
            return f"rw-transfer,{digits(number)}"
        case _:
            return None


def order(command: SwitchCommand, trunks: Trunks, number: int) -> bytes:
    """Everything one command needs, as one piece of text for the socket. `number` is this order's own."""
    return b"".join(encode(action) for action in _actions(command, trunks, number))


def _actions(command: SwitchCommand, trunks: Trunks, number: int) -> Iterator[Action]:
    leg = leg_id(command.leg)
    match command:
        case Play() | Hold() | Reject() | AskAlarm() | RunStep() | Transfer():
            for name, value in _heard(command):
                yield _set(leg, name, value)
            yield redirect(leg, str(verb(command)), number)
        case Dial():
            yield dial(command, trunks)
        case DialAlarm():
            yield dial_alarm(command, trunks)
        case DialProgram():
            yield dial_program(command, trunks)
        case Bridge():
            agent = leg_id(command.peer)
            yield _set(leg, "RW_ST", "talk")
            yield _set(agent, "RW_ST", "talk")
            # prefixes match here: a caller by its full channel name, a leg that we dialled by its id of fixed length
            first = channel_name(command.channel) if command.channel else checked(DIALLED, leg, "dialled leg")
            yield [("Action", "Bridge"), ("ActionID", f"bridge:{leg}:{agent}"),
                   ("Channel1", first), ("Channel2", agent), ("Tone", "no")]
        case HangUp():
            yield _hang_up(f"end:{leg}:{int(command.cause)}", leg, int(command.cause))
        case _:
            assert_never(command)


def dial(command: Dial, trunks: Trunks) -> Action:
    return [
        *_originate(command, trunks, "rw-ask"),
        variable("RW_ASK", command.ask), variable("RW_TAKEN", command.taken),
        variable("RW_TRIES", str(int(command.tries))),
        ("Variable", f"RW_PEER={channel_name(command.peer) if command.peer else ''}"),
    ]


def dial_alarm(command: DialAlarm, trunks: Trunks) -> Action:
    spoken = [variable(name, value) for name, value in _alarm(command.ask)]
    return [*_originate(command, trunks, "rw-alarm"), *spoken]


def dial_program(command: DialProgram, trunks: Trunks) -> Action:
    told = [variable(name, value) for name, value in _step(command.first)]
    limit = "Variable", f"TIMEOUT(absolute)={STEP_LIMIT_S}"
    return [*_originate(command, trunks, "rw-step", checked(VERB, command.first.verb, "step"), "first"), limit, *told]


def _originate(
    command: Dial | DialAlarm | DialProgram, trunks: Trunks, verb: str, extension: str = "s", priority: str = "1",
) -> Action:
    """A leg's dialling, up to its variables."""
    leg, number, trunk = leg_id(command.leg), digits(command.number), checked(TRUNK, command.trunk, "trunk")
    if trunk not in trunks:
        raise NotEncodable("no such trunk")
    way = trunks[trunk]
    there = checked(SENT, dialled(number, way.rewrites), "number of a provider")
    return [
        ("Action", "Originate"), ("ActionID", leg), ("ChannelId", leg),
        ("Channel", f"PJSIP/{checked(ENDPOINT, way.endpoint, 'endpoint')}"
                    f"/sip:{there}@{checked(HOST, way.address, 'trunk address')}"),
        ("Context", verb), ("Exten", extension), ("Priority", priority), ("Async", "true"),
        ("Timeout", str(int(command.ring_timeout_s * 1000))), ("CallerID", digits(command.caller_id)),
        # counted while it rings, so that the dialplan's fallback does not ring the phone a second time
        ("Variable", f"GROUP(rw-phone)={number}"),
    ]


def _heard(command: Play | Hold | Reject | AskAlarm | RunStep | Transfer) -> list[tuple[str, str]]:
    """The variables of a verb that a leg is redirected to."""
    match command:
        case Play(sound=sound):
            return [("RW_F", sound)]
        case AskAlarm(ask=ask):
            return _alarm(ask)
        case RunStep(prompt=prompt):
            return _step(prompt)
        case Transfer(caller=caller):
            return [("RW_NUM", digits(caller) if caller else "")]
        case _:
            return []


def _step(prompt: Prompt) -> list[tuple[str, str]]:
    """The variables of the verb `step`: those that this kind of step reads."""
    last = f"{int(prompt.is_last)}{int(prompt.is_last_by_key)}"
    told = [("RW_S", str(int(prompt.number))), ("RW_LAST", last)]
    match prompt.verb:
        case "play":
            return [*told, ("RW_F", prompt.sound)]
        case "collect":
            return [*told, ("RW_F", prompt.sound), ("RW_MAX", str(int(prompt.digits))),
                    ("RW_TO", str(int(prompt.timeout_s)))]
        case "record":
            return [*told, ("RW_R", checked(FILE, prompt.file, "file")), ("RW_SEC", f"{prompt.seconds:g}")]
        case "pause":
            return [*told, ("RW_SEC", f"{prompt.seconds:g}")]
        case _:
            return told


def _alarm(ask: AlarmAsk) -> list[tuple[str, str]]:
    """The variables of the verb `alarm`. Where nobody can decline no key does: a person's silence would equal ''."""
    pin = checked(PIN, ask.pin, "pin") if ask.pin_tries or not ask.pin else PIN_REFUSED
    return [
        ("RW_F", ask.message), ("RW_VO", checked(VOICE, ask.voice, "voice")),
        ("RW_K", checked(PRESSED, ask.key, "key")),
        ("RW_DK", checked(PRESSED, ask.decline_key, "key") if ask.decline_key else NO_KEY),
        ("RW_PIN", pin), ("RW_PT", str(int(ask.pin_tries))), ("RW_AMD", "1" if ask.amd else ""),
        *([("RW_TRIES", str(int(ask.tries)))] if ask.tries else []),
    ]


def renewal(leg: str, lease_s: int) -> bytes:
    return encode([("Action", "AbsoluteTimeout"), ("ActionID", f"order:{leg_id(leg)}"), ("Channel", leg),
                   ("Timeout", str(int(lease_s)))])


def question(action_id: str) -> bytes:
    """Whose answer alone counts: it comes behind what was told before."""
    return encode([("Action", "Ping"), ("ActionID", action_id)])


def hang_up_again(leg: str, cause: int) -> bytes:
    return encode(_hang_up(f"last:{leg}", leg_id(leg), cause))


def alive(leg: str) -> bytes:
    """Asks whether a leg has a channel: `facts.py` reads the answer."""
    return encode([("Action", "Getvar"), ("ActionID", f"alive:{leg_id(leg)}"), ("Channel", leg),
                   ("Variable", "UNIQUEID")])


def put(channel_id: str, key: str, value: str) -> bytes:
    """Write a row by the dialplan's verb `put`: the dialplan alone may write the database. The channel's Hangup says
    that it has run."""
    return encode([
        ("Action", "Originate"), ("ActionID", f"put:{channel_id}"), ("ChannelId", leg_id(channel_id)),
        ("Channel", "Local/s@rw-idle/n"), ("Context", "rw-put"), ("Exten", "s"), ("Priority", "1"),
        ("Async", "true"), ("Timeout", "5000"), row("RW_K", database_key(key)), row("RW_V", value)])


def delete(key: str) -> Action:
    return [("Action", "Setvar"), ("Variable", f"DB_DELETE({database_key(key)})"), ("Value", "1")]


def redirect(leg: str, verb: str, number: int) -> Action:
    context, _, extension = verb.partition(",")
    return [("Action", "Redirect"), ("ActionID", f"to:{verb}:{leg}:{number}"), ("Channel", leg), ("Context", context),
            ("Exten", extension), ("Priority", "1")]


def _hang_up(action_id: str, leg: str, cause: int) -> Action:
    return [("Action", "Hangup"), ("ActionID", action_id), ("Channel", leg), ("Cause", str(cause))]


def _set(leg: str, name: str, value: str) -> Action:
    return [("Action", "Setvar"), ("ActionID", f"order:{leg_id(leg)}"), ("Channel", leg), ("Variable", name),
            ("Value", variable(name, value)[1].partition("=")[2])]
