"""Settings are refused at the start, by name and without showing a value."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from backend.app.core.settings import SettingsError, load_settings
from backend.app.core.weakness import weakness
from tests.api.support import make_settings

ROOT = Path(__file__).parents[2]

GOOD = {
    "ENVIRONMENT": "production",
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_ANON_KEY": "sb_publishable_" + "hQ3vXw9ZrT2mK8sB5nL4jg_7GfdC0yA",
    "SUPABASE_JWT_SECRET": "hQ3vXw9ZrT2mK8sB5nL4jg7GfdC0yA+Pe6uiNqk1",
    "CORS_ORIGINS": "https://shop.example, https://till.example/",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A good production environment and nothing else that a setting could be read from."""
    for name in list(os.environ):
        if name.startswith("SUPABASE_") or name in (
            "ENVIRONMENT",
            "CORS_ORIGINS",
            "ENABLE_DOCS",
            "LOG_LEVEL",
        ):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_good_production_settings_load(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert settings.cors_origins == ["https://shop.example", "https://till.example"]
    assert settings.issuer == "https://abc.supabase.co/auth/v1"
    assert settings.docs_enabled is False
    assert GOOD["SUPABASE_JWT_SECRET"] not in repr(settings)


@pytest.mark.parametrize("name", ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_JWT_SECRET", "CORS_ORIGINS"])
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_JWT_SECRET", "hunter2"),
        ("SUPABASE_JWT_SECRET", "super-secret-jwt-token-with-at-least-32-characters-long"),
        ("SUPABASE_JWT_SECRET", "a" * 64),
        ("SUPABASE_JWT_SECRET", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("SUPABASE_JWT_SECRET", "correcthorse" * 6),
        ("SUPABASE_JWT_SECRET", "   "),
        ("SUPABASE_URL", "http://abc.supabase.co"),
        ("SUPABASE_URL", "abc.supabase.co"),
        ("SUPABASE_JWKS_URL", "http://abc.supabase.co/auth/v1/.well-known/jwks.json"),
        ("SUPABASE_ANON_KEY", "your-anon-key"),
        ("SUPABASE_ANON_KEY", "sb_secret_hQ3vXw9ZrT2mK8sB5nL4jg_7GfdC0yA"),
        ("SUPABASE_SERVICE_ROLE_KEY", "changeme"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://*.example"),
        ("CORS_ORIGINS", "http://shop.example"),
        ("ENVIRONMENT", "staging"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_refused_by_name(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as refused:
        load_settings()
    assert "Traceback" not in str(refused.value)
    if name.endswith(("SECRET", "KEY")) and value.strip():
        assert value not in str(refused.value)


def test_no_cors_origins_can_be_meant(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CORS_ORIGINS", "")
    assert load_settings().cors_origins == []


def test_docs_pages_open_in_production_only_when_asked(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENABLE_DOCS", "true")
    assert load_settings().docs_enabled is True
    assert make_settings().docs_enabled is True
    assert make_settings(enable_docs=False).docs_enabled is False


def test_a_forgotten_environment_is_the_strictest(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ENVIRONMENT")
    assert load_settings().environment == "production"


def test_random_secrets_are_not_called_weak() -> None:
    for make, size in ((secrets.token_hex, 16), (secrets.token_hex, 64), (secrets.token_urlsafe, 32)):
        assert [weakness(make(size)) for _ in range(300)].count(None) >= 299


def test_the_process_ends_with_the_names_and_no_traceback() -> None:
    command = [sys.executable, "-m", "uvicorn", "backend.app.main:create_app", "--factory", "--port", "0"]
    env = {"PATH": os.environ["PATH"], "SUPABASE_JWT_SECRET": "hunter2hunter2"}
    ended = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "SUPABASE_URL: is missing" in ended.stderr
    assert "SUPABASE_ANON_KEY: is missing" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout
