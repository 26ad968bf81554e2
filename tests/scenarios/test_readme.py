"""The README's examples, run as they are printed, against a stack with the demo data."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local import node
from local.client import Project
from local.demo import fill
from local.keys import Keys
from local.paths import LOCAL, ROOT
from local.services import Api, Gateway
from local.stack import DEMO_PEOPLE


def block(language: str, title: str = "A first sale") -> str:
    """The code block of that language in a chapter of the README."""
    chapter = (ROOT / "README.md").read_text().split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    [code] = re.findall(rf"```{language}\n(.*?)```", chapter, flags=re.DOTALL)
    return str(code)


@pytest.fixture(scope="module")
def printed(gateway: Gateway, api: Api, keys: Keys) -> dict[str, str]:
    """What `./dev env` prints of this test's stack, which holds the demo data."""
    fill(Project(gateway.url, keys.anon_key, keys.service_role_key), keys.demo_password)
    return {
        "SUPABASE_URL": gateway.url,
        "SUPABASE_ANON_KEY": keys.anon_key,
        "API_URL": api.url,
        "DEMO_PASSWORD": keys.demo_password,
        **DEMO_PEOPLE,
    }


def test_the_sale_with_curl(printed: dict[str, str], tmp_path: Path) -> None:
    # The test's stack is not the one that ./dev up started, so a stand-in answers ./dev env.
    (tmp_path / "dev").write_text("#!/bin/sh\ncat env\n")
    (tmp_path / "dev").chmod(0o755)
    (tmp_path / "env").write_text("".join(f"{key}={value}\n" for key, value in printed.items()))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block("bash")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"BLR/\d\d-\d\d/\d{6} paid [\d.]+\n", done.stdout), done.stdout
    assert (tmp_path / "invoice.pdf").read_bytes().startswith(b"%PDF-")


def test_the_command_line(printed: dict[str, str], tmp_path: Path) -> None:
    # The launchers would prepare an environment; this test runs in it already.
    (tmp_path / "dev").write_text("#!/bin/sh\ncat env\n")
    (tmp_path / "env").write_text("".join(f"{key}={value}\n" for key, value in printed.items()))
    (tmp_path / "branchline").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    for name in ("dev", "branchline"):
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            "\n".join(block(part, "The command line") for part in ("bash", "sh")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BRANCHLINE_CONFIG": str(tmp_path / "config")},
    )
    assert done.returncode == 0, done.stderr
    assert "Sharma" in done.stdout
    assert re.search(r"Received: 6,000.00 INR, receipt BLR/", done.stdout), done.stdout
    assert re.search(r'"number":"BLR/\d\d-\d\d/\d{6}"', done.stdout), done.stdout


def test_the_sale_with_supabase_js(printed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(LOCAL / "node_modules")
    (tmp_path / "sale.mjs").write_text(block("js"))
    done = subprocess.run(
        [node.node_program(), "sale.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **printed},
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"BLR/\d\d-\d\d/\d{6} paid [\d.]+\n", done.stdout), done.stdout + done.stderr


def test_stock_in_real_time(printed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(LOCAL / "node_modules")
    (tmp_path / "sale.mjs").write_text(block("js"))
    (tmp_path / "stock.mjs").write_text(block("js", "Stock in real time"))
    environment = {**os.environ, **printed}
    with subprocess.Popen(
        [node.node_program(), "stock.mjs"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as watching:
        assert watching.stdout is not None
        try:
            first = watching.stdout.readline()
            assert re.fullmatch(r"[1-9]\d* levels\n", first), first
            subprocess.run(
                [node.node_program(), "sale.mjs"], cwd=tmp_path, check=True, timeout=60, env=environment
            )
            told = watching.stdout.readline()
            assert re.fullmatch(r"[0-9a-f-]{36}: \d+\n", told), told
        finally:
            watching.kill()


def test_the_picture_with_supabase_js(printed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(LOCAL / "node_modules")
    (tmp_path / "picture.mjs").write_text(block("js", "A picture of a product"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    done = subprocess.run(
        [node.node_program(), "picture.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **printed},
    )
    assert done.returncode == 0, done.stderr
    assert httpx.get(done.stdout.strip(), trust_env=False).content == b"\x89PNG", done.stdout + done.stderr
