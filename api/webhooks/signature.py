"""Signatures as Standard Webhooks 1.0 wants them: HMAC-SHA256 over `id.timestamp.body`.

The sender signs with every secret that is valid at the time of the try, newest first, so that a receiver may change to
the new secret whenever it likes while both are valid. Secrets are made here and nowhere else.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32      # the specification: 24 to 64


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def signed(message_id: str, at: datetime, body: bytes, with_secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of one try at `at`."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return {"webhook-id": message_id, "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(_signature(content, secret) for secret in with_secrets)}


def _signature(content: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
