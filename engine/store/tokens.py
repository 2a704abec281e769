"""Tokens: what is handed out once, and the digest that is stored of it.

A token carries 256 random bits, a session 132, so that a plain SHA-256 needs neither salt nor slow hashing, and looking
up the digest by index tells nothing about the token by its timing.
"""

import hashlib
import secrets

# so that people can tell them apart
PREFIX = {"organisation": "rwo_", "user": "rwu_", "system": "rws_"}


def new_token(of: str) -> str:
    return PREFIX[of] + secrets.token_urlsafe(32)


def new_session() -> str:
    """132 random bits as the Sensaphone.net API prints sessions, `0123-4567-8901`, only longer."""
    return "-".join(f"{secrets.randbelow(10_000):04}" for _ in range(10))


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
