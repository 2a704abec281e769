"""Tokens: what is handed out once, and the digest that is stored of it.

A token carries 256 random bits, so that a plain SHA-256 needs neither salt nor slow hashing, and looking up the
digest by index tells nothing about the token by its timing.
"""

import hashlib
import secrets

PREFIX = {True: "rwo_", False: "rwu_"}      # an organisation's, a user's: so that people can tell them apart


def new_token(*, is_organisation: bool) -> str:
    return PREFIX[is_organisation] + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
