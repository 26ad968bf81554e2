"""The settings of the process, read from the environment and checked before it serves anything."""

import base64
import binascii
import json
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from backend.app.core.weakness import weakness


class SettingsError(Exception):
    """A setting is missing or unacceptable. The message names each one and never shows a value."""


class Settings(BaseSettings):
    """Everything that differs between installations. There is no default for any secret or address.

    Durations are in seconds, sizes in bytes. ``ENVIRONMENT`` defaults to ``production``, the strictest, so
    that a forgotten variable fails closed.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    environment: Literal["development", "test", "production"] = "production"
    supabase_url: str
    supabase_anon_key: SecretStr
    supabase_service_role_key: SecretStr | None = None
    supabase_jwt_secret: SecretStr | None = None
    supabase_jwks_url: str | None = None
    supabase_jwt_issuer: str | None = None
    supabase_jwt_audience: str = "authenticated"
    token_leeway_seconds: int = Field(default=10, ge=0, le=60)
    jwks_ttl_seconds: float = Field(default=600, gt=0, le=86_400)
    jwks_refresh_interval_seconds: float = Field(default=30, ge=1, le=3_600)
    cors_origins: Annotated[list[str] | None, NoDecode] = None
    enable_docs: bool | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    upstream_timeout_seconds: float = Field(default=15, gt=0, le=120)
    upstream_connections: int = Field(default=100, ge=1, le=1_000)
    # Papers and labels: processes at work, documents under way, those of one organisation, seconds for one.
    press_processes: int = Field(default=2, ge=2, le=64)
    press_queue: int = Field(default=32, ge=2, le=1_000)
    press_share: int = Field(default=8, ge=1, le=1_000)
    press_timeout_seconds: float = Field(default=60, gt=0, le=600)
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_missing(cls, value: object, info: object) -> object:
        """A variable that a deployment template left empty counts as not set (CORS_ORIGINS alone may be
        empty).
        """
        if isinstance(value, str) and not value.strip() and getattr(info, "field_name", "") != "cors_origins":
            return None
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip().rstrip("/") for part in value.split(",") if part.strip()]
        return value

    @field_validator("supabase_url", "supabase_jwks_url", "supabase_jwt_issuer")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a full http(s) address")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _check(self) -> Self:
        faults = [*self._faults_anywhere()]
        if self.environment == "production":
            faults += self._faults_in_production()
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _faults_anywhere(self) -> list[str]:
        faults = []
        if self.supabase_jwt_secret is None and self.supabase_jwks_url is None:
            faults.append("SUPABASE_JWKS_URL or SUPABASE_JWT_SECRET: set one, tokens are verified with it")
        if _is_service_key(self.supabase_anon_key.get_secret_value()):
            faults.append("SUPABASE_ANON_KEY: holds a service key, which would bypass row-level security")
        return faults

    def _faults_in_production(self) -> list[str]:
        faults = []
        for name, address in (
            ("SUPABASE_URL", self.supabase_url),
            ("SUPABASE_JWKS_URL", self.supabase_jwks_url),
        ):
            if address is not None and urlsplit(address).scheme != "https":
                faults.append(f"{name}: must start with https:// in production")
        if self.supabase_jwt_secret is not None:
            reason = weakness(self.supabase_jwt_secret.get_secret_value())
            if reason:
                faults.append(f"SUPABASE_JWT_SECRET: {reason}")
        for name, key in (
            ("SUPABASE_ANON_KEY", self.supabase_anon_key),
            ("SUPABASE_SERVICE_ROLE_KEY", self.supabase_service_role_key),
        ):
            reason = weakness(key.get_secret_value()) if key is not None else None
            if reason:
                faults.append(f"{name}: {reason}")
        if self.cors_origins is None:
            faults.append(
                "CORS_ORIGINS: list the origins of your web apps, or set it empty when there are none"
            )
        for origin in self.cors_origins or []:
            parts = urlsplit(origin)
            if "*" in origin or parts.scheme != "https" or not parts.hostname or parts.path:
                faults.append("CORS_ORIGINS: every origin must be of the form https://host, without '*'")
                break
        return faults

    @property
    def issuer(self) -> str:
        """The `iss` that tokens must carry."""
        return self.supabase_jwt_issuer or f"{self.supabase_url}/auth/v1"

    @property
    def docs_enabled(self) -> bool:
        """Whether /docs, /redoc and /openapi.json are served: in production only when asked for."""
        return self.environment != "production" if self.enable_docs is None else self.enable_docs


def _is_service_key(key: str) -> bool:
    """Recognises both forms of a service key: `sb_secret_...` and a JWT whose role is `service_role`."""
    if key.startswith("sb_secret_"):
        return True
    parts = key.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(claims, dict) and claims.get("role") == "service_role"


def load_settings() -> Settings:
    """Reads the settings from the environment.

    Raises :class:`SettingsError`, one line for each setting that is missing or unacceptable.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # the environment fills the fields
    except ValidationError as error:
        lines: list[str] = []
        for fault in error.errors(include_input=False, include_url=False):
            message = fault["msg"].removeprefix("Value error, ")
            if not fault["loc"]:
                lines += message.splitlines()
            elif fault["type"] in ("missing", "string_type"):
                lines.append(f"{str(fault['loc'][0]).upper()}: is missing")
            else:
                lines.append(f"{str(fault['loc'][0]).upper()}: {message}")
        raise SettingsError("The API cannot start:\n" + "\n".join(f"  {line}" for line in lines)) from None
