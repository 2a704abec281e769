"""Addresses: HOST:PORT as text, free ports, and whether one is taken."""

import contextlib
import random
import re
import socket
from dataclasses import dataclass

from engine.runtime.folders import RuntimeFailed

KEPT = range(61_000, 65_536)     # above what Linux hands out (ip_local_port_range)
TRIES = 50
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens. Port 0 means: a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """HOST:PORT of a name or an IPv4 address; raises RuntimeFailed."""
        host, _, port = text.rpartition(":")
        if not HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise RuntimeFailed(f"{text!r} is no address: write HOST:PORT, for example 127.0.0.1:5060")
        return cls(host, int(port))

    def chosen(self, kind: socket.SocketKind) -> "Address":
        """Itself, or with a free port in the place of 0: of those that nobody gets who binds to port 0, for it may be
        some time until it is bound."""
        if self.port:
            return self
        for port in (*random.sample(KEPT, TRIES), 0):
            with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
                probe.bind((self.host, port))
                return Address(self.host, probe.getsockname()[1])
        raise RuntimeFailed(f"no port of {self.host} is free")

    def is_known(self) -> bool:
        """Whether the host has an IPv4 address. May take as long as the machine's resolver does."""
        try:
            return bool(socket.getaddrinfo(self.host, None, socket.AF_INET))
        except OSError:
            return False

    def problem(self, kind: socket.SocketKind) -> str | None:
        """Why nothing can listen here now, or None."""
        if not self.port:
            return None
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what only waits for TIME_WAIT is free
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                return f"{self} cannot be used: {error.strerror or error}"
        return None
