"""What the Sensaphone.net API takes in JSON mode, and what it answers. `uri_mode.py` translates URI mode to the same.

An unknown member is refused. Numbers may come as text; where an array is wanted a single object will do, and a session
may be a number: the vendor's own pages disagree there.
"""

from typing import Annotated, Any, Literal, NotRequired, TypeVar

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from api.fields import Body, FromUrl, Line, UrlInt
from api.wording import saying

MOST_ITEMS = 1000           # groups, contacts or users of one request
MOST_MEMBERS = 10_000       # contacts or users of one group in a request
LONGEST_NAME = 64
T = TypeVar("T")
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"


def _single(value: Any) -> Any:
    """An object stands for an array of one."""
    return [value] if isinstance(value, dict) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_SINGLE = BeforeValidator(_single)
Items = Annotated[list[T], _SINGLE, Field(min_length=1, max_length=MOST_ITEMS)]
Session = Annotated[str, BeforeValidator(_text), Field(examples=["0123-4567-8901"])]
# in a read every property is null: all of it
Null = Annotated[None, saying("must be null in a read")]
ByMembership = Annotated[None, saying("is not changed by update: create adds members, delete takes them out")]
Name = Annotated[Line, Field(max_length=LONGEST_NAME, examples=["Night Crew"]),
                 saying(f"must be one line of text, of 1 to {LONGEST_NAME} characters")]
Destination = Annotated[str, Field(pattern=_LINE, min_length=1, max_length=64, examples=["030 555123"]),
                        saying("must be a phone number or an e-mail address")]
Description = Annotated[str, Field(pattern=_LINE, max_length=255), saying("must be one line of up to 255 characters")]
Unused = Annotated[None, saying("is not supported: it must be null or left out")]
Enabled = Annotated[Literal[True], saying("must be true: a contact is disabled by deleting it")]


# --- requests

class Head(FromUrl):
    """What every request but a log-in says first: looked at before the rest of it."""

    acctid: UrlInt
    session: Session
    request_type: str


class Request(Body):
    acctid: Annotated[UrlInt, Field(description="of the organisation, as the log-in told it")]
    session: Session
    resource: Annotated[str | None, Field(description="as in the path")] = None


class Read(Request):
    request_type: Literal["read"]


class Create(Request):
    request_type: Literal["create"]


class Update(Request):
    request_type: Literal["update"]


class Delete(Request):
    request_type: Literal["delete"]


class LogIn(Body):
    request_type: Literal["create"]
    resource: Literal["login"] | None = None
    user_name: str
    password: str


class ReadLogIn(Read):
    """`login`: null, or an object with the properties that are wanted as null."""

    login: "LogInWanted | None" = None


class LogInWanted(Body):
    login_timestamp: Null = None
    session_expiration: Null = None


class LogOut(Delete):
    login: None = None


class ContactId(Body):
    contact_id: UrlInt


class UserId(Body):
    user_id: UrlInt


Contacts = Annotated[list[ContactId], _SINGLE, Field(max_length=MOST_MEMBERS)]
Users = Annotated[list[UserId], _SINGLE, Field(max_length=MOST_MEMBERS)]


class GroupWanted(Body):
    """Without any property the whole group; without a group_id every group."""

    group_id: UrlInt | None = None
    name: Null = None
    contacts: Null = None
    users: Null = None


class GroupToCreate(Body):
    """Without a group_id a new group, which needs a name; with one, members are added to it."""

    group_id: UrlInt | None = None
    name: Name | None = None
    contacts: Contacts | None = None
    users: Users | None = None


class GroupToUpdate(Body):
    group_id: UrlInt
    name: Name
    contacts: ByMembership = None
    users: ByMembership = None


class GroupToDelete(Body):
    """With contacts or users these leave the group; without, the group goes."""

    group_id: UrlInt
    contacts: Contacts | None = None
    users: Users | None = None


class ReadGroups(Read):
    contactgroup: Items[GroupWanted] | None


class CreateGroups(Create):
    contactgroup: Items[GroupToCreate]


class UpdateGroups(Update):
    contactgroup: Items[GroupToUpdate]


class DeleteGroups(Delete):
    """`devicegroup`, which the vendor's page prints here, is taken as well."""

    contactgroup: Items[GroupToDelete]


class ContactWanted(Body):
    contact_id: UrlInt | None = None
    destination: Null = None
    type: Null = None
    description: Null = None
    enable: Null = None


class ContactToCreate(Body):
    destination: Destination
    type: Annotated[Literal["voice", "email"] | None, Field(
        description="left out: by the destination"), saying("must be voice or email")] = None
    description: Description = ""
    enable: Enabled = True
    schedule: Unused = None


class ReadContacts(Read):
    contact: Items[ContactWanted] | None


class CreateContacts(Create):
    contact: Items[ContactToCreate]


class UserWanted(Body):
    user_id: UrlInt | None = None
    name: Null = None
    enable: Null = None


class UserToCreate(Body):
    name: Annotated[Name, Field(description="the log-in, unique in the system")]
    enable: bool = True


class ReadUsers(Read):
    user: Items[UserWanted] | None


class CreateUsers(Create):
    user: Items[UserToCreate]


# --- answers

class MemberContact(TypedDict):
    contact_id: int


class MemberUser(TypedDict):
    user_id: int


class Group(TypedDict):
    group_id: NotRequired[int]
    name: NotRequired[str]
    users: NotRequired[list[MemberUser]]
    contacts: NotRequired[list[MemberContact]]


class Contact(TypedDict):
    contact_id: int
    destination: NotRequired[str]
    type: NotRequired[str]
    description: NotRequired[str]
    enable: NotRequired[bool]


class User(TypedDict):
    user_id: int
    name: NotRequired[str]
    enable: NotRequired[bool]


class GroupsResponse(TypedDict):
    contactgroup: list[Group]


class ContactsResponse(TypedDict):
    contact: list[Contact]


class UsersResponse(TypedDict):
    user: list[User]


class LogInResponse(TypedDict):
    """Times in seconds; `login_timestamp` since 1970."""

    acctid: NotRequired[int]
    session: NotRequired[str]
    login_timestamp: NotRequired[int]
    session_expiration: NotRequired[int]
    user_id: NotRequired[int]
