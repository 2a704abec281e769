"""The process that runs SVOX Pico: `python -I worker.py [--lingware DIR]`, started by `pico.py` only.

Pico is C that reads markup, holds the GIL while it speaks and may never end, so it gets a process that can do no
harm: no environment, no files, no privileges, little CPU and memory, and nothing left when its parent dies.
It imports nothing of Ringward, so that an unprivileged user need not be able to read Ringward's folder: as root
everything is imported first, then the process shuts itself into the folder of voice files and becomes nobody.

stdin: a JSON line {"text", "voice"} a request. stdout: a JSON line {"bytes": n} and then n bytes of 16 kHz
16-bit PCM, or {"error": …}. The first line out is {"ready": <what it runs as>}.
"""

import ctypes
import json
import os
import pwd
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import py_nanotts

CPU_S = 10              # for one text; 100 characters take about 0.06 s
MEMORY = 512 << 20
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    parent = os.getppid()
    lingware = Path(sys.argv[2] if len(sys.argv) > 2 else py_nanotts._default_lingware_path())
    libc = ctypes.CDLL(None, use_errno=True)
    jailed = drop_privileges(lingware) if os.geteuid() == 0 else False
    # after the change of user, which clears it
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # none are left after root; a service manager may have given some to another user
    libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
    if os.getppid() != parent:
        return
    limit()
    serve(sys.stdin.buffer, sys.stdout.buffer, "/" if jailed else str(lingware), jailed)


def drop_privileges(lingware: Path) -> bool:
    """Become nobody, inside the folder of voice files where the system allows it. Raises OSError otherwise."""
    try:
        user = pwd.getpwnam("nobody")
        uid, gid = user.pw_uid, user.pw_gid
    except KeyError:
        uid = gid = 65534
    try:
        os.chroot(lingware)
        os.chdir("/")
        jailed = True
    except PermissionError:         # a container without CAP_SYS_CHROOT
        jailed = False
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    return jailed


def limit() -> None:
    """Not a byte into any file, bounded memory, no core file, and speech never before calls."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    os.nice(10)


def serve(requests: BinaryIO, answers: BinaryIO, lingware: str, jailed: bool) -> None:
    def answer(head: dict[str, Any], body: bytes = b"") -> None:
        answers.write(json.dumps(head).encode() + b"\n" + body)
        answers.flush()

    answer({"ready": {"uid": os.geteuid(), "jailed": jailed}})
    for line in requests:
        request = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        # the soft limit alone: its signal kills even while Pico runs, and only it can be moved on again
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_S, resource.RLIM_INFINITY))
        try:
            pcm = py_nanotts._speak(
                text=request["text"], voice=request["voice"], speed=None, pitch=None, volume=None,
                lingware_path=lingware,
            )
        except Exception as error:      # every text that Pico refuses is an answer, not our end
            answer({"error": str(error)})
        else:
            answer({"bytes": len(pcm)}, pcm)


if __name__ == "__main__":
    main()
