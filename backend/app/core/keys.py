"""The keys that tokens are verified with: a JWKS that is fetched and cached, or one HS256 secret.

A key brings its algorithm along. What a token's header says about its algorithm is never asked, so neither
`alg: none` nor an HS256 token "signed" with a public key has a way in.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from jose import jwk
from jose.exceptions import JOSEError

from backend.app.core.errors import unauthenticated, unavailable
from backend.app.core.logging import logger

_log = logger("branchline.keys")

# How long keys stay in use when the JWKS cannot be fetched again, in seconds.
MAX_STALE_SECONDS = 3_600.0


@dataclass(frozen=True)
class VerificationKey:
    """A key and the one algorithm it is used with."""

    algorithm: str
    material: Any


class KeySource(Protocol):
    """Where the verifier gets its key from."""

    async def find(self, kid: str | None) -> VerificationKey:
        """The key for a token whose header names `kid`. Raises a 401 problem when there is none."""
        ...


class SharedSecret:
    """The project's legacy HS256 secret. It has no key id: the header's `kid` does not matter."""

    def __init__(self, secret: str) -> None:
        self._key = VerificationKey("HS256", secret)

    async def find(self, kid: str | None) -> VerificationKey:  # noqa: ARG002 - there is only one key
        """The secret, whatever the token's `kid` says."""
        return self._key


class JwksKeys:
    """The public keys that the project publishes, for ES256 and RS256.

    They are fetched when first needed and again after `ttl` seconds. An unknown `kid` (a key was rotated in)
    causes a refresh too, but at most one fetch per `interval` seconds, however many tokens with invented ids
    arrive. When a refresh fails the keys at hand stay in use for an hour; without any key the answer is a 503
    problem.
    """

    def __init__(self, url: str, client: httpx.AsyncClient, ttl: float, interval: float) -> None:
        self._url = url
        self._client = client
        self._ttl = ttl
        self._interval = interval
        self._keys: dict[str, VerificationKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> VerificationKey:
        """The published key with that id. Raises a 401 problem (unknown key) or a 503 problem (no keys at
        all).
        """
        key = await self.known(kid)
        if key is None:
            raise unauthenticated("The token is signed with a key that is not known.")
        return key

    async def known(self, kid: str | None) -> VerificationKey | None:
        """The published key with that id, or None. Raises a 503 problem when no keys can be had at all."""
        if kid is None or kid not in self._keys or self._age() > self._ttl:
            await self._refresh(kid)
        if self._age() > MAX_STALE_SECONDS + self._ttl:
            raise unavailable("The keys that tokens are verified with cannot be fetched.")
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid or "")

    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    def _may_fetch(self) -> bool:
        return time.monotonic() - self._tried_at >= self._interval

    async def _refresh(self, kid: str | None) -> None:
        if not self._may_fetch() and not self._lock.locked():
            return
        async with self._lock:
            # Whoever came while keys were being fetched waited here, and finds them now.
            if not self._may_fetch() or (kid in self._keys and self._age() <= self._ttl):
                return
            self._tried_at = time.monotonic()
            try:
                response = await self._client.get(self._url, headers={"Accept": "application/json"})
                response.raise_for_status()
                self._keys = read_jwks(response.json())
                self._fetched_at = time.monotonic()
            except (httpx.HTTPError, ValueError) as error:
                _log.warning("jwks_refresh_failed", error=type(error).__name__, keys_at_hand=len(self._keys))


class SecretAndJwks:
    """For a project that moves from the secret to signing keys. Auth gives its HS256 tokens a `kid`, too,
    which no JWKS publishes: whatever is not published there is verified with the secret.
    """

    def __init__(self, secret: SharedSecret, jwks: JwksKeys) -> None:
        self._secret = secret
        self._jwks = jwks

    async def find(self, kid: str | None) -> VerificationKey:
        """The published key with that id, the secret without one."""
        published = await self._jwks.known(kid) if kid is not None else None
        return published or await self._secret.find(kid)


def read_jwks(document: object) -> dict[str, VerificationKey]:
    """The usable keys of a JWKS by their id: P-256 keys for ES256 and RSA keys for RS256.

    Other kinds, symmetric ones above all, and keys meant for encryption are left out. Raises ``ValueError``
    when the document is not a JWKS.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS")
    keys: dict[str, VerificationKey] = {}
    for entry in entries:
        algorithm = _algorithm_of(entry) if isinstance(entry, Mapping) else None
        if algorithm is None:
            continue
        try:
            keys[str(entry["kid"])] = VerificationKey(algorithm, jwk.construct(dict(entry), algorithm))
        except (JOSEError, KeyError, ValueError, TypeError) as error:
            _log.warning("jwks_key_unreadable", error=type(error).__name__)
    return keys


def _algorithm_of(entry: Mapping[str, Any]) -> str | None:
    if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
        return None
    if entry.get("kty") == "EC" and entry.get("crv") == "P-256" and entry.get("alg", "ES256") == "ES256":
        return "ES256"
    if entry.get("kty") == "RSA" and entry.get("alg", "RS256") == "RS256":
        return "RS256"
    return None
