"""What Asterisk's own database (AstDB) says about hotlines, and what the dialplan left there of fallbacks. Pure.

The layout is a contract with dialplans/asterisk: family `rw` has one row a number, `rwp/<number>` its phones in chunks
(a line of the AMI ends at 1,000 bytes), `fb` the steps of fallbacks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from engine.ports import FallbackRow
from engine.vocabulary.values import Cause, Hotline

HOTLINES, PHONES, STEPS = "rw", "rwp", "fb"
CHUNK = 40
ORDER = ("start", "ring", "answered", "silent", "accepted", "joined", "leg", "apology", "ended")

log = structlog.get_logger(__name__)


def wanted_rows(hotlines: Iterable[Hotline]) -> dict[str, str]:
    """key → value of everything that the fallback needs to know."""
    rows: dict[str, str] = {}
    for hotline in hotlines:
        rows[f"{HOTLINES}/{hotline.number}"] = ":".join((
            str(hotline.hotline_id), "1" if hotline.is_active else "0", str(hotline.channels_inbound),
            hotline.language, hotline.greeting, hotline.ask))
        numbers = [phone.number for phone in hotline.phones][: hotline.channels_outbound]
        for chunk, start in enumerate(range(0, len(numbers), CHUNK)):
            rows[f"{PHONES}/{hotline.number}/{chunk}"] = "-".join(numbers[start:start + CHUNK])
    return rows


def difference(wanted: Mapping[str, str], found: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(rows to write, keys to delete). The row that names a hotline is written after its phones."""
    writes = {key: value for key, value in wanted.items() if found.get(key) != value}
    order = sorted(writes, key=lambda key: (key.startswith(f"{HOTLINES}/"), key))
    return {key: writes[key] for key in order}, sorted(found.keys() - wanted.keys())


def fallback_rows(found: Mapping[str, str]) -> Sequence[FallbackRow]:
    """`fb/<caller>/<ms>-<leg>-<step>` = `step:number:did:caller:status:cause`, oldest first, those of one millisecond
    in the order of a call. What cannot be read is left."""
    rows = []
    for key, value in found.items():
        try:
            _, leg, name = key.split("/")
            ms, _, rest = name.partition("-")
            channel_leg, _, _ = rest.rpartition("-")
            at = datetime.fromtimestamp(int(ms) / 1000, UTC)
            step, number, did, caller, status, cause = value.split(":")
            ORDER.index(step)
            # a hang-up by the far side has cause 0 in the dialplan
            rows.append(FallbackRow(key, leg, at, step, number, did, caller, channel_leg, status,
                                    int(cause or 0) or int(Cause.NORMAL)))
        except ValueError:
            log.warning("fallback.unreadable_row", length=len(value))
    return sorted(rows, key=lambda row: (row.at, ORDER.index(row.step), row.key))
