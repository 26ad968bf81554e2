"""Who is calling: token verification and the dependency that hands the caller to an endpoint."""

from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import httpx
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import jwt
from jose.exceptions import ExpiredSignatureError, JOSEError
from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt, ValidationError

from backend.app.core.errors import unauthenticated
from backend.app.core.keys import JwksKeys, KeySource, SecretAndJwks, SharedSecret
from backend.app.core.settings import Settings

# Far above a Supabase token with its claims (about 1 kB), far below what would cost time to look at.
MAX_TOKEN_LENGTH = 16_384

_REQUIRED = ("exp", "aud", "iss", "sub")


class _Claims(BaseModel):
    """The claims this service relies on, in their right types."""

    model_config = ConfigDict(extra="ignore")

    sub: UUID
    exp: StrictInt | StrictFloat
    iss: str
    aud: str | list[str]
    role: str
    email: str | None = None


@dataclass(frozen=True)
class Caller:
    """A signed-in user. token: what was sent, to be passed on to PostgREST so that row-level security sees
    the same.
    """

    user_id: UUID
    email: str | None
    token: str = field(repr=False)


class TokenVerifier:
    """Verifies access tokens of Supabase Auth."""

    def __init__(self, keys: KeySource, issuer: str, audience: str, leeway_seconds: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._options = {"leeway": leeway_seconds, **{f"require_{claim}": True for claim in _REQUIRED}}

    async def verify(self, token: str) -> Caller:
        """The user a token stands for.

        Raises a 401 problem when the signature, `exp`, `aud`, `iss`, `sub` or the role is missing or wrong,
        and a 503 problem when the keys cannot be had. The detail names the kind of fault, never a part of the
        token.
        """
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise unauthenticated("The token is not a JWT.")
        key = await self._keys.find(_key_id(token))
        try:
            claims = jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options=self._options,
            )
            checked = _Claims.model_validate(claims)
        except ExpiredSignatureError as error:
            raise unauthenticated("The token has expired; sign in again or refresh it.") from error
        # python-jose calls int() on `exp` and `nbf`: a list, null or 1e999 there raises the last three.
        except (JOSEError, ValidationError, TypeError, ValueError, OverflowError) as error:
            raise unauthenticated("The token is not valid here.") from error
        if checked.role != "authenticated":
            raise unauthenticated("The token is not a signed-in user's.")
        return Caller(checked.sub, checked.email, token)


def _key_id(token: str) -> str | None:
    """The `kid` of the header, which only selects among configured keys; the algorithm comes with the key."""
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except JOSEError as error:
        raise unauthenticated("The token is not a JWT.") from error
    kid = header.get("kid")
    if kid is not None and (not isinstance(kid, str) or len(kid) > 256):
        raise unauthenticated("The token is not a JWT.")
    return kid


def token_verifier(settings: Settings, client: httpx.AsyncClient) -> TokenVerifier:
    """The verifier for the configured key: JWKS, secret, or both during a move from one to the other."""
    secret = (
        SharedSecret(settings.supabase_jwt_secret.get_secret_value())
        if settings.supabase_jwt_secret
        else None
    )
    jwks = (
        JwksKeys(
            settings.supabase_jwks_url,
            client,
            settings.jwks_ttl_seconds,
            settings.jwks_refresh_interval_seconds,
        )
        if settings.supabase_jwks_url
        else None
    )
    keys: KeySource | None = SecretAndJwks(secret, jwks) if secret and jwks else jwks or secret
    if keys is None:
        raise AssertionError("settings refuse to load without a key")
    return TokenVerifier(keys, settings.issuer, settings.supabase_jwt_audience, settings.token_leeway_seconds)


_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    bearerFormat="JWT",
    description="The access token of a Supabase Auth session.",
)


async def current_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Dependency: the signed-in user, or a 401 problem."""
    if credentials is None:
        raise unauthenticated("Send the access token as: Authorization: Bearer <token>.")
    verifier: TokenVerifier = request.app.state.verifier
    caller = await verifier.verify(credentials.credentials)
    request.state.user_id = str(caller.user_id)
    structlog.contextvars.bind_contextvars(user_id=str(caller.user_id))
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]
