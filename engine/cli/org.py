"""`ringward org create|list`."""

from typing import Annotated

import typer

from engine.cli.terminal import (
    DEFAULT_HOME,
    Answer,
    Home,
    Json,
    a_country,
    a_language,
    a_name,
    answer,
    with_directory,
)
from engine.store.directory import PostgresDirectory

app = typer.Typer()


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", callback=a_name)],
    home: Home = DEFAULT_HOME, as_json: Json = False,
    country: Annotated[str, typer.Option(
        callback=a_country, help="ISO 3166-1 alpha-2; national forms of numbers are read in it.")] = "DE",
    language: Annotated[str, typer.Option(
        callback=a_language, help="Of prompts and voice: de, en, es, fr, it.")] = "de",
) -> None:
    """Make an organisation and its API token. The token is shown once."""
    async def work(directory: PostgresDirectory) -> Answer:
        made = await directory.create_organisation(name, country, language)
        token = await directory.issue_token(made.organisation_id, None)
        return {"organizationID": made.organisation_id, "apiToken": token}

    answer(with_directory(home, as_json, work), as_json)


@app.command("list")
def list_all(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """All organisations."""
    async def work(directory: PostgresDirectory) -> list[Answer]:
        return [{"organizationID": found.organisation_id, "name": found.name, "country": found.country,
                 "language": found.language} for found in await directory.organisations()]

    answer(with_directory(home, as_json, work), as_json)
