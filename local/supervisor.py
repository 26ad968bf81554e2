"""Starts the parts of a stack in order, restarts the one that crashes, and stops them all."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Protocol

from local.errors import LauncherError
from local.processes import Identity, describe_exit, tail
from local.stack import Stack, State

# A part that crashes this often within the window will not get better by starting it again.
CRASH_LIMIT = 5
CRASH_WINDOW = 60.0
FIRST_PAUSE = 0.2


class Process(Protocol):
    """What the supervisor needs of a child."""

    pid: int

    def poll(self) -> int | None: ...


class Startable(Protocol):
    """What the supervisor needs of a part."""

    @property
    def process(self) -> Process | None: ...
    @property
    def log(self) -> Path: ...
    def stop(self) -> None: ...


@dataclass
class Part:
    """One supervised part and its recent crashes."""

    name: str
    title: str
    what: Startable
    start: Callable[[], None]
    crashes: list[float] = field(default_factory=list)


class Stop(BaseException):
    """Somebody asked the supervisor to end."""


class Supervisor:
    """Runs one stack until it is told to stop.

    Parameters:
        state: the stack's state folder; the caller has locked it.
        step: called with a few words before each step of the start.
        tell: called with a sentence worth keeping: warnings, crashes.
        demo: load the demo data into an empty database.
    """

    def __init__(
        self, state: State, step: Callable[[str], None], tell: Callable[[str], None], *, demo: bool = True
    ) -> None:
        self.state = state
        self.demo = demo
        self._step = step
        self.tell = tell
        self.stack: Stack | None = None
        self.parts: list[Part] = []

    def run(self, ready: Callable[[Stack], None]) -> None:
        """Start everything, call `ready`, watch until SIGINT, SIGTERM or SIGHUP, then stop everything.

        Raises:
            LauncherError: a part could not be started, or crashed too often.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _raise_stop)
        phase = "stopped"
        try:
            self._start()
            assert self.stack is not None
            self.state.update(phase="running")
            ready(self.stack)
            self.watch()
        except Stop:
            pass
        except BaseException:
            phase = "failed"
            raise
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for part in reversed(self.parts):
                part.what.stop()
            self.state.update(phase=phase, parts={}, supervisor=None)

    def step(self, text: str) -> None:
        """Say what is being done now, on the screen and to whoever waits for us."""
        self.state.update(step=text)
        self._step(text)

    def _start(self) -> None:
        identity = Identity.of(os.getpid())
        assert identity is not None
        self.state.end_leftovers()
        self.state.update(phase="starting", supervisor=asdict(identity), restarts=[])
        ports = Stack.choose_ports(self.state)
        self.state.update(ports=ports)
        stack = self.stack = Stack(self.state, ports)
        self.step("Starting Postgres")
        self._launch(Part("postgres", "Postgres", stack.cluster, stack.start_postgres))
        self.step("Starting the Supabase gateway")
        self._launch(Part("gateway", "The gateway", stack.gateway, stack.start_gateway))
        self.step("Applying migrations")
        warning = stack.migrate()
        if warning:
            self.tell(warning)
        if self.demo:
            self.step("Loading the demo data")
            stack.load_demo()
        self.step("Starting the API")
        self._launch(Part("api", "The API", stack.api, stack.api.start))
        self._launch(Part("scheduler", "The scheduler", stack.scheduler, stack.scheduler.start))

    def _launch(self, part: Part) -> None:
        self.parts.append(part)
        part.start()
        self._remember(part)

    def _remember(self, part: Part) -> None:
        assert self.stack is not None
        assert part.what.process is not None
        self.stack.remember_part(part.name, part.what.process.pid)

    def watch(self) -> None:
        """Restart what crashes, for ever. Raises LauncherError when a part crashes too often."""
        while True:
            for part in self.parts:
                status = part.what.process.poll() if part.what.process else None
                if status is not None:
                    self._restart(part, describe_exit(status))
            time.sleep(0.1)

    def _restart(self, part: Part, reason: str) -> None:
        """Start a crashed part again, with a growing pause between attempts."""
        while True:
            now = time.monotonic()
            part.crashes = [*(moment for moment in part.crashes if now - moment < CRASH_WINDOW), now]
            last_lines = tail(part.what.log)
            self.tell(f"{part.title} ended by itself ({reason}). The end of its log:\n{last_lines}")
            if len(part.crashes) >= CRASH_LIMIT:
                raise LauncherError(
                    f"{part.title} crashed {CRASH_LIMIT} times within {CRASH_WINDOW:g} s; giving up.",
                    last_lines,
                )
            time.sleep(FIRST_PAUSE * 2 ** (len(part.crashes) - 1))
            try:
                part.start()
            except LauncherError as error:
                reason = error.message
                continue
            self._remember(part)
            self._note_restart(part, reason)
            return

    def _note_restart(self, part: Part, reason: str) -> None:
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        note = {"part": part.name, "reason": reason, "at": at}
        self.state.update(restarts=[*self.state.read().get("restarts", []), note][-20:])
        self.tell(f"{part.title} runs again.")


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop
