"""Session descriptions of a software phone: what it offers, and what of the other side's it uses (RFC 3264)."""

from dataclasses import dataclass

from aiosipua import parse_sdp

from engine.softphone.g711 import BY_NAME, Codec
from engine.softphone.rtp import Address

EVENT_TYPE = 101


@dataclass(frozen=True, slots=True)
class Media:
    """What two sides agreed on. `event_type` is the payload type of RFC 4733 events; None: keys are sent as tones."""

    remote: Address
    codec: Codec
    event_type: int | None


def describe(host: str, port: int, codecs: tuple[str, ...], event_type: int | None) -> str:
    """An offer, or with one codec an answer."""
    types = [BY_NAME[name].payload_type for name in codecs]
    lines = [
        "v=0", f"o=- {port} {port} IN IP4 {host}", "s=phone", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, types + ([] if event_type is None else [event_type])))}",
        *(f"a=rtpmap:{BY_NAME[name].payload_type} {name}/8000" for name in codecs),
    ]
    if event_type is not None:
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    return "\r\n".join([*lines, "a=ptime:20", "a=sendrecv", ""])


def choose(body: str, codecs: tuple[str, ...], events: bool) -> Media | None:
    """The other side's first codec that we have; None if there is none."""
    session = parse_sdp(body)
    audio, address = session.audio, session.rtp_address
    if audio is None or address is None:
        return None
    names = {str(codec.payload_type): codec.encoding_name.upper() for codec in audio.codecs}
    offered = [names.get(kind, "") for kind in audio.formats]
    chosen = next((BY_NAME[name] for name in offered if name in codecs), None)
    if chosen is None:
        return None
    event = next((int(kind) for kind in audio.formats if names.get(kind) == "TELEPHONE-EVENT"), None)
    return Media(address, chosen, event if events else None)
