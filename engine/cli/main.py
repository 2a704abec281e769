"""`ringward`: the command line. Each group of commands is a file here; heavy imports wait for their command."""

import sys

import typer

from engine.cli import call, demo, number, org, serve, token, user

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Hotlines and alarms on your own Asterisk.")
for group, name, text in (
    (org.app, "org", "Organisations."), (user.app, "user", "Users of an organisation."),
    (token.app, "token", "API tokens and personal access tokens."), (number.app, "number", "The pool of numbers."),
    (call.app, "call", "Calls as they happen."),
):
    app.add_typer(group, name=name, help=text, no_args_is_help=True)
app.command("up")(serve.up_command)
app.command("engine")(serve.engine_command)
app.command("api")(serve.api_command)
app.command("asterisk")(serve.asterisk_command)
app.command("migrate")(serve.migrate_command)
app.command("doctor")(serve.doctor_command)
app.command("demo")(demo.demo_command)


def main() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
