"""Errors as problem details, RFC 9457: the style of `/ringward/v1`."""

from http import HTTPStatus

from pydantic import BaseModel, Field

from api.errors import SHOWN_ERRORS, ApiError, ErrorStyle

SHOWN_PROBLEMS = 20
BLANK = "about:blank"       # RFC 9457, 4.2.1: the status says it all
KIND = "urn:ringward:problem:"


class FieldProblem(BaseModel):
    field: str = Field(description="the member that is wrong", examples=["recipients[2].phone"])
    problem: str = Field(description="what is wrong with it, in words")


class ProblemDetails(BaseModel):
    """Something was refused or failed; nothing was changed (RFC 9457)."""

    type: str = Field(description=f"`{BLANK}`, or the rule that was broken: `{KIND}…`")
    title: str = Field(description="the status in words")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="text for people")
    errors: list[FieldProblem] | None = Field(None, description=f"by field; the first {SHOWN_PROBLEMS}")


def _write(error: ApiError, status: int) -> ProblemDetails:
    problems = [FieldProblem(field=it.field, problem=it.problem) for it in error.problems[:SHOWN_PROBLEMS]]
    more = len(error.problems) - SHOWN_ERRORS
    said = error.message if problems else error.error   # without a field: 401 says which of the headers is wrong
    detail = f"{said}; and {more} more" if more > 0 else said
    return ProblemDetails(type=KIND + error.kind if error.kind else BLANK, title=HTTPStatus(status).phrase,
                          status=status, detail=detail, errors=problems or None)


PROBLEM = ErrorStyle(ProblemDetails, _write, "application/problem+json")
