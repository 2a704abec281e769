"""Is an Asterisk there, is it ready, and does it take our secret? One short AMI session, no library.

For the start and for `doctor`; the engine's connection is engine/switch/asterisk.
"""

import socket

from engine.settings import Settings


def probe(settings: Settings, timeout_s: float = 2) -> str | None:
    """None when the AMI takes our log-in and Asterisk is fully booted, else what is wrong."""
    try:
        with socket.create_connection((settings.ami_host, settings.ami_port), timeout_s) as connection:
            lines = connection.makefile("rb")
            if not lines.readline().startswith(b"Asterisk Call Manager"):
                return "what answers at the AMI address is no Asterisk"
            connection.sendall(
                f"Action: Login\r\nUsername: {settings.ami_user}\r\nSecret: {settings.ami_secret}\r\n\r\n".encode())
            accepted = False
            while line := lines.readline():
                if line.startswith(b"Response: Error"):
                    return "Asterisk refuses the AMI secret"
                accepted = accepted or line.startswith(b"Response: Success")
                if accepted and line.startswith(b"Event: FullyBooted"):
                    return None
            return "the AMI closed the connection"
    except TimeoutError:
        return "Asterisk does not answer on the AMI"
    except OSError as error:
        return f"nothing answers at the AMI address {settings.ami_host}:{settings.ami_port} ({error.strerror or error})"
