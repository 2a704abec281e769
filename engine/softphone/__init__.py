"""Software phones with real audio: the demo, the acceptance tests and the bench make their calls with them."""

from engine.softphone.carrier import Carrier
from engine.softphone.journal import Entry, Journal, NeverHappened
from engine.softphone.phone import Behaviour, Phone
from engine.softphone.placed_call import PlacedCall
from engine.softphone.taken_call import TakenCall

__all__ = ["Behaviour", "Carrier", "Entry", "Journal", "NeverHappened", "Phone", "PlacedCall", "TakenCall"]
