"""The header `Idempotency-Key` of what makes something."""

from typing import Annotated

from pydantic import BaseModel, Field


class KeyHeader(BaseModel):
    idempotency_key: Annotated[str | None, Field(
        alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$",
        description="the same key and body within 24 hours make nothing new")] = None
