"""Client processes that keep their connections and run one workload after the other, all at once."""

import contextlib
import multiprocessing
import random
import time
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection as Pipe
from typing import Protocol

from local.errors import LauncherError


class Session(Protocol):
    """One client's connection for one workload."""

    def transact(self) -> None:
        """Run one transaction and wait for its commit."""


class Workload(Protocol):
    """Something to measure."""

    def connect(self, client: int, chance: random.Random) -> Session:
        """Open the connection of one client; called in the client's own process."""


class Clients:
    """Processes, one per client, so that no client waits for another's Python.

    Parameters:
        count: how many.
        workloads: by name; every client opens a connection for each and warms it up at once.
        warm_up: transactions per connection before anything is measured, so that all plans are cached.
    """

    def __init__(self, count: int, workloads: Mapping[str, Workload], warm_up: int = 20) -> None:
        self.count = count
        # Forked, because the workloads are then simply there, whatever they hold.
        context = multiprocessing.get_context("fork")
        self._pipes: list[Pipe] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        for client in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(client, workloads, warm_up, theirs), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self._answers()

    def measure(self, name: str, seconds: float, active: int | None = None) -> tuple[float, int]:
        """Run one workload on the first `active` clients (None: all) for some seconds.

        Returns:
            transactions per second of all together, and how many there were.

        Raises:
            LauncherError: a transaction failed; the detail is the client's traceback.
        """
        pipes = self._pipes[:active]
        for pipe in pipes:
            pipe.send((name, seconds))
        answers = self._answers(pipes)
        return sum(done / spent for done, spent in answers), sum(done for done, _ in answers)

    def _answers(self, pipes: list[Pipe] | None = None) -> list[tuple[int, float]]:
        answers = [pipe.recv() for pipe in pipes or self._pipes]
        for answer in answers:
            if isinstance(answer, str):
                raise LauncherError("A client failed.", answer)
        return answers

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            # Closing would not be noticed: the processes forked later hold copies of the pipe's end.
            with contextlib.suppress(OSError):
                pipe.send(None)
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()


def _serve(client: int, workloads: Mapping[str, Workload], warm_up: int, pipe: Pipe) -> None:
    """What a client process does: connect, warm up, then run what it is told until told to end."""
    try:
        sessions = {}
        for number, (name, workload) in enumerate(workloads.items()):
            sessions[name] = workload.connect(client, random.Random(1000 * number + client))  # noqa: S311
            for _ in range(warm_up):
                sessions[name].transact()
        pipe.send((warm_up, 1.0))
        while (task := pipe.recv()) is not None:
            name, seconds = task
            session = sessions[name]
            done, start = 0, time.perf_counter()
            while time.perf_counter() - start < seconds:
                session.transact()
                done += 1
            pipe.send((done, time.perf_counter() - start))
    except (EOFError, KeyboardInterrupt):
        return
    except BaseException:
        pipe.send(traceback.format_exc())
        raise
