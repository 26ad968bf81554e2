"""The launcher: what it prints, what it survives, and that it leaves nothing behind.

One real stack is started beside whatever runs on this machine, with its state in a folder that only its owner
may enter and with the usual ports taken, as on a developer's machine that is busy with something else.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
import pytest

from local.errors import LauncherError
from local.paths import ROOT
from local.postgres import Cluster, open_to_others, temporary_directory
from local.processes import Identity, free_port, spawn, wait_until
from local.stack import USUAL_PORTS, Stack, State
from local.supervisor import CRASH_LIMIT, Part, Supervisor

ENV_KEYS = {
    "SUPABASE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_JWT_SECRET",
    "DATABASE_URL",
    "API_URL",
    "DEMO_PASSWORD",
    "DEMO_ADMIN_EMAIL",
    "DEMO_CASHIER_EMAIL",
    "DEMO_SALES_EMAIL",
    "DEMO_STOCK_EMAIL",
    "DEMO_OTHER_BRANCH_EMAIL",
    "DEMO_PHONES_EMAIL",
    "DEMO_OTHER_ORG_EMAIL",
}


class Dev:
    """The launcher's commands on a state folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder)
        self.supervisor: subprocess.Popen[bytes] | None = None

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=ROOT,
            env={**os.environ, "BRANCHLINE_STATE": str(self.state.folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(self) -> None:
        """Start the stack without demo data, unless it runs, and return when it is healthy.

        Not detached: whatever ends the tests, even a kill, then ends the stack too.
        """
        if self.state.locked():
            return
        self.state.update(phase="starting")
        self.supervisor = spawn(
            [sys.executable, "-m", "local", "up", "--no-demo"],
            env={**os.environ, "BRANCHLINE_STATE": str(self.state.folder)},
            cwd=ROOT,
            log=self.state.logs / "supervisor.log",
            death_signal=signal.SIGTERM,
        )
        assert wait_until(lambda: self.state.read()["phase"] != "starting", 60)
        assert self.state.read()["phase"] == "running", (self.state.logs / "supervisor.log").read_text()

    def environment(self) -> dict[str, str]:
        """What `./dev env` prints, as a dictionary."""
        done = self("env")
        assert done.returncode == 0, done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def part(self, name: str) -> Identity:
        """The process of a part as the launcher remembers it."""
        return Identity(**self.state.read()["parts"][name])

    def everything(self) -> list[Identity]:
        """The supervisor and all its parts."""
        remembered = self.state.read()
        return [Identity(**one) for one in [remembered["supervisor"], *remembered["parts"].values()]]

    def kill_and_wait_for_restart(self, name: str) -> Identity:
        """Kill a part as a crash would and wait until the launcher has started it again."""
        before = self.part(name)
        restarts = len(self.state.read().get("restarts", []))
        before.send(signal.SIGKILL)
        assert wait_until(lambda: len(self.state.read().get("restarts", [])) > restarts, 30)
        after = self.part(name)
        assert after.pid != before.pid
        return after


@pytest.fixture(scope="module")
def busy_ports() -> Iterator[None]:
    """All usual ports are taken, by us or by somebody else."""
    listeners = []
    for port in USUAL_PORTS.values():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            listener.close()
        else:
            listeners.append(listener)
    yield
    for listener in listeners:
        listener.close()


@pytest.fixture(scope="module")
def stack(busy_ports: None) -> Iterator[Dev]:
    """The commands on the state folder that these tests share."""
    folder = Path(tempfile.mkdtemp(prefix="branchline-closed-"))
    launcher = Dev(folder / "state")
    try:
        yield launcher
    finally:
        launcher("down")
        if launcher.supervisor is not None:
            launcher.supervisor.wait()
        shutil.rmtree((folder / "state" / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(folder)


@pytest.fixture
def dev(stack: Dev) -> Dev:
    """The commands, with a healthy stack running."""
    stack.up()
    return stack


def test_env_prints_every_key_once_and_the_addresses_work(dev: Dev) -> None:
    values = dev.environment()
    assert set(values) == ENV_KEYS
    assert httpx.get(f"{values['SUPABASE_URL']}/health").status_code == 200
    assert httpx.get(f"{values['API_URL']}/health").status_code == 200
    with psycopg.connect(values["DATABASE_URL"]) as connection:
        row = connection.execute(
            "select current_user, (select rolsuper from pg_roles where rolname = current_user)"
        ).fetchone()
    assert row == ("postgres", False)


def test_taken_ports_are_avoided(dev: Dev) -> None:
    ports = dev.state.read()["ports"]
    assert not set(ports.values()) & set(USUAL_PORTS.values())
    assert len(set(ports.values())) == len(USUAL_PORTS)


def test_secrets_are_readable_by_their_owner_only(dev: Dev) -> None:
    secret = json.loads((dev.state.folder / "keys.json").read_text())["demo_password"]
    for place in (
        dev.state.folder,
        dev.state.folder / "keys.json",
        dev.state.folder / "postgres" / "password",
    ):
        assert place.stat().st_mode & 0o077 == 0
    for log in dev.state.logs.iterdir():
        assert secret not in log.read_text(), f"{log.name} tells the password"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as somebody else")
def test_data_lies_where_the_unprivileged_user_can_reach_it(dev: Dev) -> None:
    postgres = dev.state.folder / "postgres"
    assert postgres.is_symlink()
    assert not open_to_others(dev.state.folder)
    assert open_to_others(postgres.resolve())


def test_a_second_up_says_so_and_changes_nothing(dev: Dev) -> None:
    before = dev.everything()
    done = dev("up", "--detach")
    assert done.returncode == 0
    assert "running already" in done.stderr
    assert dev.everything() == before


def test_a_crashed_gateway_is_named_and_started_again(dev: Dev) -> None:
    url = dev.environment()["SUPABASE_URL"]
    dev.kill_and_wait_for_restart("gateway")
    assert httpx.get(f"{url}/health").status_code == 200
    said = (dev.state.logs / "supervisor.log").read_text()
    assert "The gateway ended by itself (killed by SIGKILL)" in said
    assert "gateway (killed by SIGKILL)" in dev("up", "--detach").stderr


def test_a_crashed_api_is_started_again(dev: Dev) -> None:
    url = dev.environment()["API_URL"]
    dev.kill_and_wait_for_restart("api")
    assert httpx.get(f"{url}/health").status_code == 200


def test_jobs_are_listed_and_run(dev: Dev) -> None:
    """All with their hours; one of them now; the clock has a process of its own."""
    assert dev.part("scheduler").alive()
    listed = dev("jobs")
    assert listed.returncode == 0, listed.stderr
    assert "expired-reservations" in listed.stdout
    assert dev("jobs", "partitions").returncode == 0
    with psycopg.connect(dev.environment()["DATABASE_URL"]) as owner:
        row = owner.execute("select ok from private.job_runs where job = 'partitions' limit 1").fetchone()
    assert row == (True,)
    refused = dev("jobs", "nonsense")
    assert refused.returncode == 1
    assert "The job nonsense failed." in refused.stderr


def test_killed_postgres_comes_back_with_everything_committed(dev: Dev) -> None:
    values = dev.environment()
    with psycopg.connect(values["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table if not exists private.launcher_proof (id int)")
        connection.execute("insert into private.launcher_proof values (1)")
    dev.kill_and_wait_for_restart("postgres")
    with psycopg.connect(values["DATABASE_URL"]) as connection:
        assert connection.execute("select count(*) > 0 from private.launcher_proof").fetchone() == (True,)
    headers = {"apikey": values["SUPABASE_ANON_KEY"]}

    def gateway_answers() -> bool:
        try:
            answer = httpx.get(f"{values['SUPABASE_URL']}/auth/v1/settings", headers=headers)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    assert wait_until(gateway_answers, 15, pause=0.1)


def test_killing_the_supervisor_leaves_no_orphan_and_data_survives(dev: Dev) -> None:
    values = dev.environment()
    processes = dev.everything()
    processes[0].send(signal.SIGKILL)
    assert wait_until(lambda: not any(one.alive() for one in processes), 20)
    assert dev.supervisor is not None
    dev.supervisor.wait()
    failed = dev("env")
    assert failed.returncode == 1
    assert "No stack is running" in failed.stderr
    assert failed.stdout == ""
    dev.up()
    # Clients keep their addresses and keys: both are remembered.
    assert dev.environment() == values


def test_detached_from_an_empty_database_and_down_leaves_no_process(dev: Dev) -> None:
    with psycopg.connect(dev.environment()["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table private.launcher_reset ()")
    try:
        started = dev("up", "--detach", "--no-demo", "--reset")
        assert started.returncode == 0, started.stderr
        with psycopg.connect(dev.environment()["DATABASE_URL"]) as connection:
            assert connection.execute("select to_regclass('private.launcher_reset')").fetchone() == (None,)
        processes = dev.everything()
    finally:
        assert dev("down").returncode == 0
    assert not any(one.alive() for one in processes)
    assert "Nothing was running" in dev("down").stderr


def test_a_part_that_keeps_crashing_ends_the_supervisor_with_its_name_and_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.supervisor.FIRST_PAUSE", 0.001)
    log = tmp_path / "part.log"
    log.write_text("no such thing as a teapot\n")
    said: list[str] = []
    starts = 0

    def start() -> None:
        nonlocal starts
        starts += 1
        raise LauncherError("it did not start")

    dead = SimpleNamespace(pid=1, poll=lambda: 3)
    supervisor = Supervisor(State(tmp_path), lambda _: None, said.append)
    supervisor.parts.append(Part("kettle", "The kettle", SimpleNamespace(process=dead, log=log), start))
    with pytest.raises(LauncherError) as error:
        supervisor.watch()
    assert "The kettle crashed" in error.value.message
    assert "teapot" in error.value.detail
    assert starts == CRASH_LIMIT - 1
    assert "exit status 3" in said[0]


def test_an_edited_migration_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "1_room.sql").write_text("select 2;")
    monkeypatch.setattr("local.stack.MIGRATIONS", migrations)
    monkeypatch.setattr("local.databases.pending", lambda _url: [])
    state = State(tmp_path / "state")
    state.update(migrations={"1_room.sql": "the digest of another text"}, ports=USUAL_PORTS)
    (tmp_path / "state" / "postgres").mkdir()
    (tmp_path / "state" / "postgres" / "password").write_text("x")
    warning = Stack(state).migrate()
    assert warning is not None
    assert "1_room.sql" in warning
    assert "--reset" in warning


def test_free_port_prefers_the_given_one_and_avoids_taken_ones() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    free = free_port()
    assert free_port(free) == free
    assert free_port(free, avoid=[free]) != free


def test_a_reused_process_id_is_not_taken_for_ours() -> None:
    mine = Identity.of(os.getpid())
    assert mine is not None
    assert mine.alive()
    assert not Identity(mine.pid, "another birth").alive()


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from local.processes import spawn;"
        "child = spawn(['sleep', '60'], env=dict(os.environ), cwd=Path('/'), log=Path(sys.argv[1]));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = Identity.of(int(parent.stdout.readline()))
        assert child is not None
        parent.kill()
    assert wait_until(lambda: not child.alive(), 5)


def test_postgres_starts_though_its_old_process_id_belongs_to_a_stranger(tmp_path: Path) -> None:
    home = temporary_directory()
    cluster = Cluster(home / "postgres", durable=False)
    cluster.init()
    cluster.start()
    account = cluster.account
    try:
        lock = cluster.data / "postmaster.pid"
        lines = lock.read_text().splitlines()
        cluster.kill()
        stranger = spawn(
            ["sleep", "60"],
            env={"PATH": os.environ["PATH"]},
            cwd=Path("/"),
            log=tmp_path / "log",
            user=account.uid if account else None,
            group=account.gid if account else None,
        )
        lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        cluster.start()
        stranger.kill()
        stranger.wait()
    finally:
        cluster.destroy()
        shutil.rmtree(home)
