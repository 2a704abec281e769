"""Webhooks: what happened is posted to the receivers that an organisation named, signed and at least once.

A trigger writes one delivery for each event and webhook, in the transaction of the event. `sender.py` posts them,
`guard.py` says which targets may be reached, `signature.py` signs, `schedule.py` says when the next try is due.
"""
