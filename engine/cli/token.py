"""`ringward token create|revoke|rotate`: the tokens of an organisation (--org), of a user (--user), of the system."""

from typing import Annotated

import typer

from engine.cli.terminal import DEFAULT_HOME, Answer, Home, Json, answer, errors, with_directory
from engine.store.directory import PostgresDirectory
from engine.vocabulary.values import RingwardError

app = typer.Typer()
OfOrganisation = Annotated[int | None, typer.Option("--org", help="The organisation's API token.")]
OfUser = Annotated[int | None, typer.Option("--user", help="The user's personal access tokens.")]
OfSystem = Annotated[bool, typer.Option("--system", help="Tokens that make organisations and numbers.")]


@app.command()
def create(
    system: Annotated[bool, typer.Option("--system", help="What there is to create here; the others come with their "
                                                          "organisation or user.")],
    home: Home = DEFAULT_HOME, as_json: Json = False,
) -> None:
    """Make a token that makes and removes organisations and numbers, and nothing else. It is shown once."""
    with errors(as_json):
        if not system:
            raise RingwardError("an organisation's and a user's token are made with them, and anew by `rotate`")

    async def work(directory: PostgresDirectory) -> Answer:
        return {"systemToken": await directory.issue_system_token()}

    answer(with_directory(home, as_json, work), as_json)


@app.command()
def revoke(home: Home = DEFAULT_HOME, as_json: Json = False, org: OfOrganisation = None, user: OfUser = None,
           system: OfSystem = False) -> None:
    """Make the tokens worthless from now on."""
    async def work(directory: PostgresDirectory) -> Answer:
        if system and not (org or user):
            return {"revoked": await directory.revoke_system_tokens()}
        return {"revoked": await directory.revoke_tokens(await _organisation(directory, org, user), user)}

    answer(with_directory(home, as_json, work), as_json)


@app.command()
def rotate(home: Home = DEFAULT_HOME, as_json: Json = False, org: OfOrganisation = None, user: OfUser = None) -> None:
    """Revoke the tokens and issue a new one, in one step. It is shown once."""
    async def work(directory: PostgresDirectory) -> Answer:
        token = await directory.rotate_token(await _organisation(directory, org, user), user)
        return {"userID": user, "personalAccessToken": token} if user else {"organizationID": org, "apiToken": token}

    answer(with_directory(home, as_json, work), as_json)


async def _organisation(directory: PostgresDirectory, org: int | None, user: int | None) -> int:
    if (org is None) == (user is None):
        raise RingwardError("say whose: either --org ID or --user ID")
    if user is not None:
        org = await directory.organisation_of_user(user)
    if org is None or org not in {found.organisation_id for found in await directory.organisations()}:
        raise RingwardError("there is no such organisation or user")
    return org
