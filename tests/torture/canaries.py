"""What hostile text would leave behind if anything ran it: a file, a row of AstDB, a global, a dead process.

`texts` are for every place where somebody outside may write something; afterwards `untouched` must hold.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.town import Town

WORD = "kanarienvogel"      # in everything that must not be found again


@dataclass(slots=True)
class Canaries:
    town: Town
    folder: Path
    before: dict[str, str] = field(init=False)
    pid: int = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._state()
        self.pid = self.town.asterisk.process.pid

    @property
    def texts(self) -> list[str]:
        """Each would write `file`, a row, a global or an action of its own."""
        file = self.folder / WORD
        return [
            f"${{SHELL(touch {file})}}", f"${{FILE({file},,,a)=x}}", f"${{DB({WORD}/a)=1}}", f"${{GLOBAL({WORD})=1}}",
            f"$[1 + ${{SHELL(touch {file})}}]", f"x,1)}}&Set(DB({WORD}/b)=1)", f"'; touch {file}; '", f"`touch {file}`",
            f"$(touch {file})", f"1\r\n\r\nAction: Originate\r\nChannel: Local/s@rw-idle\r\nApplication: System\r\n"
            f"Data: touch {file}", f"1\r\nVariable: DB({WORD}/c)=1", f"1\nV: ack\nUniqueid: {WORD}",
            f"=cmd|'{WORD}'!A1", f"+{WORD}", f"@{WORD}", f"-{WORD}", f"\t{WORD}", f'"{WORD}",="x"',
            f"\x1b[31m{WORD}\x07\x00", "\u202e" + WORD, f"<{WORD}@h>;tag=1", f"'); DROP TABLE users; -- {WORD}",
            "%s%n%n" + WORD, WORD * 60,
        ]

    def untouched(self) -> None:
        assert self._state() == self.before
        assert not (self.folder / WORD).exists()
        assert self.town.asterisk.process.poll() is None and self.town.asterisk.process.pid == self.pid

    def _state(self) -> dict[str, str]:
        """What Asterisk has that the calls themselves do not change."""
        cli = self.town.asterisk_cli
        rows = [line for line in cli("database show").splitlines() if WORD in line]
        return {"globals": cli("dialplan show globals"), "rows": "\n".join(rows), "users": cli("manager show users"),
                "contexts": str(cli("dialplan show").count("Context")), "contacts": cli("pjsip show contacts")}
