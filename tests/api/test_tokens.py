"""Which tokens are accepted: exactly those that Supabase Auth issues for signed-in users, and no other."""

import asyncio
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk

from backend.app.core import exact_json
from backend.app.core.auth import TokenVerifier, token_verifier
from backend.app.core.errors import Problem
from backend.app.core.keys import JwksKeys
from tests.api.support import (
    SECRET,
    USER,
    assert_problem,
    bearer,
    claims,
    make_settings,
    running,
    signed,
    unsigned,
)


class SigningKey:
    """A key pair as Supabase Auth keeps one."""

    def __init__(self, algorithm: str) -> None:
        self.kid = str(uuid4())
        self.algorithm = algorithm
        private = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(65537, 2048)
        )
        self.private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.public_pem = (
            private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )

    def published(self, **changes: Any) -> dict[str, Any]:
        """The public half as a JWKS entry."""
        entry = jwk.construct(self.public_pem, self.algorithm).to_dict()
        entry = {key: value.decode() if isinstance(value, bytes) else value for key, value in entry.items()}
        return {**entry, "kid": self.kid, "use": "sig", "alg": self.algorithm, **changes}

    def sign(self, payload: dict[str, Any]) -> str:
        """A token signed with this key."""
        return signed(payload, self.private_pem, self.algorithm, kid=self.kid)


class JwksServer:
    """A real HTTP server that publishes keys and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.delay = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                time.sleep(outer.delay)
                body = exact_json.dumps({"keys": outer.keys})
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Tests stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/auth/v1/.well-known/jwks.json"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def jwks() -> Iterator[JwksServer]:
    """A JWKS server without keys."""
    server = JwksServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture(params=["ES256", "RS256"])
def key(request: pytest.FixtureRequest) -> SigningKey:
    """A signing key of each kind that Supabase offers."""
    return SigningKey(request.param)


def _verifier(jwks: JwksServer, client: httpx.AsyncClient, **settings: Any) -> TokenVerifier:
    return token_verifier(
        make_settings(supabase_jwt_secret=None, supabase_jwks_url=jwks.url, **settings), client
    )


async def _refused(verifier: TokenVerifier, token: str) -> Problem:
    with pytest.raises(Problem) as refused:
        await verifier.verify(token)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"
    return refused.value


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 60},
    "no exp": {"exp": None},
    "exp as text": {"exp": "tomorrow"},
    "exp as list": {"exp": [1]},
    "exp as numeric text": {"exp": str(int(time.time()) + 600)},
    "exp true": {"exp": True},
    "no aud": {"aud": None},
    "wrong aud": {"aud": "somebody"},
    "aud as number": {"aud": 7},
    "no iss": {"iss": None},
    "wrong iss": {"iss": "https://evil.example/auth/v1"},
    "no sub": {"sub": None},
    "sub not an id": {"sub": "admin"},
    "sub as number": {"sub": 7},
    "anonymous role": {"role": "anon"},
    "service role": {"role": "service_role"},
    "no role": {"role": None},
    "not yet valid": {"nbf": int(time.time()) + 600},
}


@pytest.mark.parametrize("change", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
async def test_wrong_claims_are_refused(change: dict[str, Any]) -> None:
    async with httpx.AsyncClient() as client:
        await _refused(token_verifier(make_settings(), client), signed(claims(**change)))


async def test_infinite_expiry_is_refused() -> None:
    header = {"alg": "HS256", "typ": "JWT"}
    async with httpx.AsyncClient() as client:
        await _refused(
            token_verifier(make_settings(), client), unsigned(header, claims(exp=float("inf")), b"x")
        )
        await _refused(token_verifier(make_settings(), client), signed(claims(exp=float("inf"))))


async def test_a_good_token_names_its_user() -> None:
    async with httpx.AsyncClient() as client:
        caller = await token_verifier(make_settings(), client).verify(signed(claims()))
        assert caller.user_id == USER
        assert caller.token not in repr(caller)
        lately = await token_verifier(make_settings(), client).verify(
            signed(claims(exp=int(time.time()) - 2))
        )
        assert lately.user_id == USER, "clocks differ by a few seconds"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS512", "RS256", "ES256"])
async def test_the_header_does_not_choose_the_algorithm(algorithm: str) -> None:
    async with httpx.AsyncClient() as client:
        verifier = token_verifier(make_settings(), client)
        await _refused(verifier, unsigned({"alg": algorithm, "typ": "JWT"}, claims()))
    if algorithm == "HS512":
        async with httpx.AsyncClient() as client:
            await _refused(token_verifier(make_settings(), client), signed(claims(), SECRET, "HS512"))


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "é.b.c", "e30.e30.", "x" * 20_000])
async def test_what_is_no_token_is_refused(token: str) -> None:
    async with httpx.AsyncClient() as client:
        await _refused(token_verifier(make_settings(), client), token)


async def test_another_secret_is_refused() -> None:
    async with httpx.AsyncClient() as client:
        await _refused(token_verifier(make_settings(), client), signed(claims(), SECRET[::-1]))


async def test_published_keys_verify(jwks: JwksServer, key: SigningKey) -> None:
    jwks.keys = [SigningKey("ES256").published(), key.published()]
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        for _ in range(5):
            assert (await verifier.verify(key.sign(claims()))).user_id == USER
        assert jwks.asked == 1, "the keys are cached"
        await _refused(verifier, key.sign(claims(aud=None)))
        await _refused(verifier, key.sign(claims())[:-8] + "AAAAAAAA")


async def test_hs256_signed_with_the_public_key_is_refused(jwks: JwksServer, key: SigningKey) -> None:
    """The classic confusion: the attacker takes the public key for an HMAC secret."""
    import hashlib
    import hmac

    jwks.keys = [key.published()]
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        for secret in (key.public_pem, key.public_pem.strip(), str(key.published())):
            for kid in ({"kid": key.kid}, {}):
                body = unsigned({"alg": "HS256", "typ": "JWT", **kid}, claims()).rsplit(".", 1)[0]
                signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
                forged = f"{body}.{unsigned({}, {}, signature).rsplit('.', 1)[1]}"
                await _refused(verifier, forged)


async def test_alg_none_is_refused_beside_published_keys(jwks: JwksServer, key: SigningKey) -> None:
    jwks.keys = [key.published()]
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        await _refused(verifier, unsigned({"alg": "none", "kid": key.kid}, claims()))
        await _refused(verifier, unsigned({"alg": "none"}, claims()))


async def test_symmetric_and_foreign_keys_in_the_jwks_are_ignored(jwks: JwksServer) -> None:
    good = SigningKey("ES256")
    jwks.keys = [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"},
        good.published(kid="for-encryption", use="enc"),
        {"kty": "EC", "crv": "P-256", "kid": "broken", "x": "!", "y": "!"},
        {"kty": "RSA", "kid": "odd", "alg": "none"},
        good.published(),
    ]
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        assert (await verifier.verify(good.sign(claims()))).user_id == USER
        await _refused(verifier, signed(claims(), "secret", kid="shared"))
        await _refused(verifier, signed(claims(), good.private_pem, "ES256", kid="for-encryption"))


async def test_a_rotated_key_is_found(
    jwks: JwksServer, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = SigningKey(key.algorithm)
    jwks.keys = [old.published()]
    now = time.monotonic()
    monkeypatch.setattr("backend.app.core.keys.time.monotonic", lambda: now)
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        await verifier.verify(old.sign(claims()))
        jwks.keys = [key.published(), old.published()]
        now += 31
        assert (await verifier.verify(key.sign(claims()))).user_id == USER, "an unknown kid causes a refresh"
        await verifier.verify(old.sign(claims()))
        assert jwks.asked == 2
        jwks.keys = [key.published()]
        now += 601
        await _refused(verifier, old.sign(claims()))
        assert jwks.asked == 3, "a key that was withdrawn is gone after the cache's time"


async def test_who_comes_while_keys_are_fetched_waits_for_them(
    jwks: JwksServer, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a cold start and at a rotation: one fetch, and nobody is refused because another one fetches."""
    jwks.delay = 0.2
    jwks.keys = [key.published()]
    now = time.monotonic()
    monkeypatch.setattr("backend.app.core.keys.time.monotonic", lambda: now)
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)

        async def twenty(token: str) -> None:
            callers = await asyncio.gather(*(verifier.verify(token) for _ in range(20)))
            assert {caller.user_id for caller in callers} == {USER}

        await twenty(key.sign(claims()))
        assert jwks.asked == 1
        rotated_in = SigningKey(key.algorithm)
        jwks.keys.append(rotated_in.published())
        now += 31
        await twenty(rotated_in.sign(claims()))
        assert jwks.asked == 2


async def test_unknown_kids_cannot_hammer_the_jwks(jwks: JwksServer) -> None:
    known, unknown = SigningKey("ES256"), SigningKey("ES256")
    jwks.keys = [known.published()]
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        for _ in range(50):
            await _refused(verifier, unknown.sign(claims()))
        assert jwks.asked == 1
        await verifier.verify(known.sign(claims()))


async def test_keys_at_hand_outlast_an_outage(jwks: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    key = SigningKey("ES256")
    jwks.keys = [key.published()]
    now = time.monotonic()
    monkeypatch.setattr("backend.app.core.keys.time.monotonic", lambda: now)
    async with httpx.AsyncClient() as client:
        verifier = _verifier(jwks, client)
        await verifier.verify(key.sign(claims()))
        jwks.status = 500
        now += 900
        assert (await verifier.verify(key.sign(claims()))).user_id == USER
        now += 4_000
        with pytest.raises(Problem) as refused:
            await verifier.verify(key.sign(claims()))
        assert refused.value.status == 503


async def test_without_any_key_the_answer_is_503() -> None:
    async with httpx.AsyncClient() as client:
        keys = JwksKeys("http://127.0.0.1:9/jwks.json", client, 600, 30)
        with pytest.raises(Problem) as refused:
            await keys.find("any")
        assert refused.value.status == 503


async def test_secret_and_jwks_side_by_side(jwks: JwksServer) -> None:
    key = SigningKey("ES256")
    jwks.keys = [key.published()]
    async with httpx.AsyncClient() as client:
        verifier = token_verifier(make_settings(supabase_jwks_url=jwks.url), client)
        assert (await verifier.verify(signed(claims()))).user_id == USER
        assert (await verifier.verify(key.sign(claims()))).user_id == USER
        legacy = signed(claims(), kid="the-legacy-secret")
        assert (await verifier.verify(legacy)).user_id == USER, "Auth names its legacy secret, too"
        await _refused(verifier, signed(claims(), kid=key.kid))
        stranger = SigningKey("ES256")
        await _refused(verifier, stranger.sign(claims()))


async def test_the_api_says_401_as_a_problem() -> None:
    async with running() as client:
        for headers in (
            {},
            bearer("rubbish"),
            bearer(signed(claims(exp=1))),
            {"Authorization": "Basic eDp5"},
        ):
            response = await client.get("/v1/auth/validate", headers=headers)
            assert_problem(response, 401, "unauthenticated")
            assert response.headers["www-authenticate"] == "Bearer"
