"""The real `ringward engine` that kills itself at a chosen boundary: run as a script by `MortalProcess`.

A boundary lies before and after each commit of calls, each claim, each order to the switch by its kind, and before the
notes of acknowledgements are deleted. The product knows nothing of it: this script puts its own subclasses into
`engine.app` before it runs. `FATE` says at which boundary, and at the how manieth time.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import engine.app
from engine.cli.main import main
from engine.ports import AckNote, Batch
from engine.runtime.child import launch
from engine.runtime.folders import PROJECT
from engine.store.alarms import PostgresAlarms
from engine.store.calls import PostgresCalls
from engine.store.campaign_claims import PostgresCampaignClaims
from engine.switch.asterisk.switch import AsteriskSwitch
from engine.vocabulary.commands import SwitchCommand
from tests.acceptance.town import EngineProcess

FATE = "TORTURE_FATE"
ORDERS = ("Play", "Dial", "DialAlarm", "DialProgram", "RunStep", "Bridge", "HangUp")
BOUNDARIES = (
    "before save", "after save", "after a claim of alarms", "after a claim of campaigns", "before notes are forgotten",
    "after notes are forgotten", *(f"{when} {order}" for order in ORDERS for when in ("before", "after")),
)


@dataclass
class MortalProcess(EngineProcess):
    """`fate`: where the life that starts next ends; '' lives on."""

    fate: str = ""
    nth: int = 1

    def start(self) -> None:
        argv = [sys.executable, "-m", "tests.torture.mortal_process", "engine", "--home",
                self.environment["RINGWARD_HOME"]]
        env = {**self.environment, FATE: f"{self.nth} {self.fate}", "PYTHONPATH": str(PROJECT)}
        self.process = launch(argv, log=self.log_path, env=env, cwd=PROJECT)

    @property
    def is_dead(self) -> bool:
        return self.process is None or self.process.poll() is not None


class Fate:
    def __init__(self, text: str) -> None:
        nth, _, self.name = text.partition(" ")
        self.left = int(nth)

    def meets(self, name: str) -> bool:
        """Is it now?"""
        if name == self.name:
            self.left -= 1
        return name == self.name and self.left == 0

    def boundary(self, name: str) -> None:
        if self.meets(name):
            os.kill(os.getpid(), signal.SIGKILL)


fate = Fate(os.environ.get(FATE, "0 "))


class MortalCalls(PostgresCalls):
    async def save(self, batch: Batch) -> None:
        if batch.calls:
            fate.boundary("before save")
        await super().save(batch)
        if batch.calls:
            fate.boundary("after save")


class MortalAlarms(PostgresAlarms):
    async def claim(self, *arguments: Any, **options: Any) -> Any:
        claimed = await super().claim(*arguments, **options)
        if claimed:
            fate.boundary("after a claim of alarms")
        return claimed


class MortalClaims(PostgresCampaignClaims):
    async def claim(self, *arguments: Any, **options: Any) -> Any:
        claim = await super().claim(*arguments, **options)
        if claim.attempts:
            fate.boundary("after a claim of campaigns")
        return claim


class MortalSwitch(AsteriskSwitch):
    def send(self, commands: Sequence[SwitchCommand]) -> None:
        for place, command in enumerate(commands):
            for when, sent in (("before", commands[:place]), ("after", commands[:place + 1])):
                if fate.meets(f"{when} {type(command).__name__}"):
                    super().send(sent)
                    self._flush()
                    os.kill(os.getpid(), signal.SIGKILL)
        super().send(commands)

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        if notes:
            fate.boundary("before notes are forgotten")
        await super().forget_acknowledgements(notes)
        if notes:
            fate.boundary("after notes are forgotten")


if __name__ == "__main__":
    for name, one in (("PostgresCalls", MortalCalls), ("PostgresAlarms", MortalAlarms),
                      ("PostgresCampaignClaims", MortalClaims), ("AsteriskSwitch", MortalSwitch)):
        setattr(engine.app, name, one)
    main()
