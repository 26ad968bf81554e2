"""Child processes that never outlive the launcher, and safe ways to end those of a former launcher."""

import contextlib
import ctypes
import os
import platform
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.errors import LauncherError

_LINUX = platform.system() == "Linux"
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child must not load libraries between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True) if _LINUX else None


@dataclass(frozen=True)
class Identity:
    """A process id with the start time of that process, so that a reused id is never mistaken for ours."""

    pid: int
    birth: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Identify a running process; None when there is none with that id."""
        birth = _birth(pid)
        return None if birth is None else cls(pid, birth)

    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        return _birth(self.pid) == self.birth

    def send(self, number: signal.Signals) -> None:
        """Send a signal if the process still is the one that was identified."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, first: signal.Signals, patience: float) -> None:
        """Ask with `first`, wait up to `patience` seconds, then kill."""
        self.send(first)
        if not wait_until(lambda: not self.alive(), patience):
            self.send(signal.SIGKILL)
            wait_until(lambda: not self.alive(), 5)


def _birth(pid: int) -> str | None:
    """The start time of a process in the system's own notation, or None for no such process or a zombie."""
    if _LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Poll `condition` until it is true; False when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    user: int | None = None,
    group: int | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, with its output appended to `log`.

    The own session keeps Ctrl-C away from the child: the launcher stops its parts in order. On Linux the
    kernel sends `death_signal` to the child when the launcher dies, however it dies. Call it from the main
    thread only: the kernel watches the thread that forked.
    """
    parent = os.getpid()

    def before_exec() -> None:
        # Runs after the change of user, which would clear the setting.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            preexec_fn=before_exec,
        )


def stop(process: subprocess.Popen[bytes], first: signal.Signals, patience: float) -> None:
    """End a child of ours: ask with `first`, wait up to `patience` seconds, then kill; reaps it."""
    if process.poll() is not None:
        return
    process.send_signal(first)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def describe_exit(status: int) -> str:
    """Say in words how a process ended, from Popen's return code."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def tail(log: Path, lines: int = 12, start: int = 0) -> str:
    """The last `lines` lines of a log, reading from byte `start`; empty when there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(start, log.stat().st_size - 64_000))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def free_port(preferred: int | None = None, avoid: Sequence[int] = ()) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on: `preferred` if it is free, else a random one.

    Random ports lie below the range from which systems pick the ports of outgoing connections, so that none
    of those takes the port before its service starts, or while the service is being restarted.
    """
    candidates = random.sample(range(20_000, 32_000), 50)
    for candidate in candidates if preferred is None else [preferred, *candidates]:
        if candidate not in avoid and _is_free(candidate):
            return candidate
    raise LauncherError("No free TCP port was found on 127.0.0.1.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
