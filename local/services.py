"""The two services on top of Postgres: the Supabase gateway (Node.js) and the API (Python)."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from local import node
from local.errors import LauncherError
from local.keys import Keys
from local.paths import CONFIG, GATEWAY_MAIN, ROOT
from local.processes import describe_exit, free_port, spawn, stop, tail


class Service:
    """A child process that answers HTTP on 127.0.0.1 and tells its health.

    Parameters:
        name: what people call it in messages.
        command: the program and its arguments.
        env: its whole environment besides what every program needs (PATH, HOME, certificates).
        port: the TCP port it listens on.
        log: the file that gets its output.
    """

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], port: int, log: Path) -> None:
        self.name = name
        self.command = command
        self.env = dict(env)
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the service, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, patience: float = 60) -> None:
        """Start the process and wait until it is healthy.

        Raises:
            LauncherError: it ended or was not healthy within `patience` seconds; the detail is the end of
            its log.
        """
        start = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(self.command, env=_base_environment() | self.env, cwd=ROOT, log=self.log)
        deadline = time.monotonic() + patience
        with httpx.Client(timeout=2, trust_env=False) as client:
            while True:
                status = self.process.poll()
                if status is not None:
                    raise LauncherError(
                        f"The {self.name} ended while starting ({describe_exit(status)}).",
                        tail(self.log, start=start),
                    )
                if self._ready(client, start):
                    return
                if time.monotonic() > deadline:
                    self.kill()
                    raise LauncherError(
                        f"The {self.name} was not healthy within {patience:g} s.", tail(self.log, start=start)
                    )
                time.sleep(0.03)

    def stop(self) -> None:
        """Ask the process to end and wait for it."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, patience=8)

    def kill(self) -> None:
        """Kill the process at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _ready(self, client: httpx.Client, _log_start: int) -> bool:
        try:
            return client.get(f"{self.url}/health").status_code == 200
        except httpx.HTTPError:
            return False


class Gateway(Service):
    """The one address that serves what Supabase serves: Auth, REST and Storage on one database.

    Parameters:
        database_url: the database's address as its superuser.
        keys: the stack's keys.
        port: None picks a free port.
        log: the file that gets its output.
        storage: the folder for uploaded files, made at the first upload; None puts it beside the log.
        env: more variables, which win over the ones made here.
    """

    def __init__(
        self,
        database_url: str,
        keys: Keys,
        *,
        log: Path,
        port: int | None = None,
        storage: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        port = port or free_port()
        variables = {
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "GATEWAY_STORAGE": str((storage or log.with_name(f"{log.stem}-files")).absolute()),
            "SUPABASE_ANON_KEY": keys.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role_key,
            "SUPABASE_JWT_SECRET": keys.jwt_secret,
            "SUPABASE_CONFIG": str(CONFIG),
            **(env or {}),
        }
        super().__init__("gateway", [str(node.node_program()), str(GATEWAY_MAIN)], variables, port, log)

    def _ready(self, client: httpx.Client, _log_start: int) -> bool:
        # The line it prints proves that our process has the port; an answer alone could come from another's.
        with self.log.open("rb") as stream:
            stream.seek(_log_start)
            lines = stream.read().decode(errors="replace").splitlines()
        return any(_is_ready_line(line) for line in lines) and super()._ready(client, _log_start)


class Api(Service):
    """The FastAPI service.

    Parameters:
        supabase_url: the gateway's address.
        keys: the stack's keys.
        port: None picks a free port.
        log: the file that gets its output.
        env: more variables, which win over the ones made here.
    """

    def __init__(
        self,
        supabase_url: str,
        keys: Keys,
        *,
        log: Path,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        port = port or free_port()
        variables = {
            "SUPABASE_URL": supabase_url,
            "SUPABASE_ANON_KEY": keys.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role_key,
            "SUPABASE_JWT_SECRET": keys.jwt_secret,
            "ENVIRONMENT": "development",
            "PYTHONUNBUFFERED": "1",
            **(env or {}),
        }
        command = [sys.executable, "-m", "uvicorn", "backend.app.main:create_app", "--factory"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
        super().__init__("API", command, variables, port, log)


class Scheduler:
    """The clock that runs the database's jobs, in the place of pg_cron.

    Parameters:
        database_url: the database's address as role postgres.
        log: the file that gets its output.
    """

    def __init__(self, database_url: str, log: Path) -> None:
        self.database_url = database_url
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it asks the database for the first time when the next minute begins."""
        environment = _base_environment() | {"DATABASE_URL": self.database_url, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "local.scheduler"]
        self.process = spawn(command, env=environment, cwd=ROOT, log=self.log)

    def stop(self) -> None:
        """Ask the process to end and wait for it; a job that is cut off is taken up by the next run."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, patience=8)


def _base_environment() -> dict[str, str]:
    """What any program needs; nothing else of ours reaches a service, so its settings are the ones given."""
    kept = (
        "HOME",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    )
    return {
        "PATH": node.environment()["PATH"],
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


def _is_ready_line(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        return json.loads(line).get("ready") is True
    except ValueError:
        return False
