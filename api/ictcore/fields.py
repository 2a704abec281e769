"""Field types of ICTCore's entities: what a client may write. Numbers may come as text, and texts as numbers.

What a body does not name stays as it was; unknown members and those that are null are ignored, because clients send
back whole entities that they read.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from api.fields import INT64_MAX

_CONTROL = r"\x00-\x1f\x7f-\x9f"


class Body(BaseModel):
    """What a client sends. `given()`: what stands in it, by our names."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        return {name: it for name, it in value.items() if it is not None} if isinstance(value, dict) else value

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


def _flag(value: Any) -> Any:
    return {"1": True, "0": False, "": False}.get(value, value) if isinstance(value, str) else value


# one line, perhaps empty; one that says something; text with line breaks and tabs
OneLine = Annotated[str, Field(pattern=rf"^[^{_CONTROL}]*$")]
Line = Annotated[str, Field(pattern=rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$")]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")]
Name = Annotated[Line, Field(max_length=128)]
OneLine128 = Annotated[OneLine, Field(max_length=128)]
Description = Annotated[Text, Field(max_length=255)]
Phone16 = Annotated[OneLine, Field(max_length=16)]
Email = Annotated[str, Field(pattern=rf"^([^@\s{_CONTROL}]+@[^@\s{_CONTROL}]+)?$", max_length=128)]
Number = Annotated[int, Field(ge=-INT64_MAX, le=INT64_MAX)]
# 1 and 0, also as text or true and false; told as a number
Flag = Annotated[bool, BeforeValidator(_flag), PlainSerializer(int, return_type=int),
                 WithJsonSchema({"type": "integer", "enum": [0, 1]})]
