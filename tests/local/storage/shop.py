"""The two businesses of the world behind a gateway: their people, and what Storage has for them."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from jose import jwt

from supabase import Client, ClientOptions, create_client
from tests.local.conftest import Lab
from tests.support.world import House, World

# The smallest pictures that are ones.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
PRIVATE, PUBLIC = "product-images", "storefront"

DENIED = (400, "403", "Unauthorized")
NO_KEY = (400, "404", "not_found")
NO_BUCKET = (400, "404", "Bucket not found")


@dataclass
class Shop:
    """A migrated database with the world in it, and the gateway that serves it."""

    lab: Lab
    world: World

    def product(self, house: House, key: str) -> UUID:
        """The product behind a variant of the world."""
        query = "select product_id from public.product_variants where id = %s"
        product: UUID = self.lab.sql(query, house.variants[key])[0]["product_id"]
        return product

    @property
    def sofa(self) -> str:
        """The folder of Teak & Thread's sofa."""
        return f"{self.world.teak.id}/{self.product(self.world.teak, 'sofa')}"

    @property
    def pump(self) -> str:
        """The folder of the other business's pump."""
        return f"{self.world.lagoon.id}/{self.product(self.world.lagoon, 'pump')}"

    def token(self, name: str, **claims: object) -> str:
        """The access token of a role in Teak & Thread, of "foreign <role>" or of "nobody"."""
        house = self.world.lagoon if name.startswith("foreign ") else self.world.teak
        user = self.world.nobody if name == "nobody" else house.users[name.removeprefix("foreign ")]
        content = {
            "sub": str(user.id),
            "aud": "authenticated",
            "role": "authenticated",
            "email": user.email,
            "exp": int(time.time()) + 600,
            **claims,
        }
        return str(jwt.encode(content, self.lab.keys.jwt_secret, "HS256"))

    def client(self, name: str) -> Client:
        """The real Python client of one person; "anon" for a visitor."""
        headers = {} if name == "anon" else {"Authorization": f"Bearer {self.token(name)}"}
        options = ClientOptions(auto_refresh_token=False, persist_session=False, headers=headers)
        return create_client(self.lab.url, self.lab.keys.anon_key, options)

    def send(self, method: str, path: str, name: str | None = None, **options: Any) -> httpx.Response:
        """One plain request to Storage; nobody's without a name."""
        token = self.token(name) if name else None
        return self.lab.http(method, f"/storage/v1{path}", token=token, **options)

    def put(self, path: str, name: str = "admin", content: bytes = PNG, **headers: str) -> httpx.Response:
        """Upload as the whole body; `path` is <bucket>/<key>."""
        sent = {"Content-Type": "image/png", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.send("POST", f"/object/{path}", name, content=content, headers=sent)


def folder(shop: Shop) -> Path:
    """Where the gateway keeps files."""
    return Path(shop.lab.gateway.env["GATEWAY_STORAGE"])


def on_disk(shop: Shop) -> set[str]:
    """The names of all files there."""
    return {path.name for path in folder(shop).rglob("*") if path.is_file()}


def versions(shop: Shop) -> set[str]:
    """What the rows say should be there."""
    return {
        row["version"]
        for row in shop.lab.sql("select version from storage.objects where version is not null")
    }


def fresh(suffix: str = ".png") -> str:
    """A file name that no other test uses."""
    return f"p{uuid.uuid4().hex}{suffix}"


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """HTTP status, the status within, and the error of a refused request, in Storage's shape."""
    body = answer.json()
    assert set(body) == {"statusCode", "error", "message", "code"}, body
    return answer.status_code, body["statusCode"], body["error"]
