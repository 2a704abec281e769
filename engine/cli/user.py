"""`ringward user create|list|allow-admins`."""

from enum import StrEnum
from typing import Annotated

import typer
from argon2 import PasswordHasher

from engine.cli.terminal import (
    DEFAULT_HOME,
    Answer,
    Home,
    Json,
    a_language,
    a_name,
    answer,
    errors,
    read_password,
    with_directory,
)
from engine.store.directory import PostgresDirectory
from engine.store.directory_port import NameTaken, UnknownUsers, User
from engine.vocabulary.values import RingwardError

app = typer.Typer()
Organisation = Annotated[int, typer.Option("--org", help="The organisation's id.")]


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", callback=a_name)], org: Organisation,
    home: Home = DEFAULT_HOME, as_json: Json = False,
    admin: Annotated[bool, typer.Option("--admin", help="An admin of the organisation.")] = False,
    allow_admins: Annotated[bool, typer.Option("--allow-admins", help="Admins may manage the user's phones.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="The password is a line of stdin.")] = False,
    language: Annotated[str, typer.Option(callback=a_language, help="de, en, es, fr, it.")] = "de",
) -> None:
    """Make a user (NAME is the log-in, unique in the system) and a personal access token. The token is shown once."""
    with errors(as_json):
        password_hash = PasswordHasher().hash(read_password()) if password_stdin else None

    async def work(directory: PostgresDirectory) -> Answer:
        if org not in {found.organisation_id for found in await directory.organisations()}:
            raise RingwardError(f"there is no organisation {org}: see `ringward org list`")
        try:
            made = await directory.create_user(org, name, is_admin=admin, allow_admins=allow_admins, language=language,
                                               password_hash=password_hash)
        except NameTaken:
            raise RingwardError(f"the name {name!r} is taken: names are unique in the system") from None
        token = await directory.issue_token(org, made.user_id)
        return {"userID": made.user_id, "personalAccessToken": token}

    answer(with_directory(home, as_json, work), as_json)


@app.command("list")
def list_all(
    home: Home = DEFAULT_HOME, as_json: Json = False,
    org: Annotated[int | None, typer.Option("--org", help="Only of this organisation.")] = None,
) -> None:
    """Users, of one organisation or of all."""
    async def work(directory: PostgresDirectory) -> list[Answer]:
        ids = [org] if org is not None else [found.organisation_id for found in await directory.organisations()]
        return [_answer(found) for organisation in ids for found in await directory.users(organisation)]

    answer(with_directory(home, as_json, work), as_json)


@app.command("allow-admins")
def allow_admins(user: Annotated[int, typer.Argument(metavar="ID")], switch: Annotated[Switch, typer.Argument()],
                 home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Whether admins of the organisation may manage the user's phones."""
    async def work(directory: PostgresDirectory) -> Answer:
        organisation = await directory.organisation_of_user(user)
        changed = organisation and await directory.set_allow_admins(organisation, user, switch is Switch.ON)
        if not changed:
            raise UnknownUsers([user])
        return _answer(changed)

    answer(with_directory(home, as_json, work), as_json)


def _answer(user: User) -> Answer:
    return {"userID": user.user_id, "organizationID": user.organisation_id, "name": user.name, "admin": user.is_admin,
            "allowAdmins": user.allow_admins, "language": user.language}
