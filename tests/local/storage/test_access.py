"""Who may do what with files, by persona; tokens, signed addresses and paths that lie."""

import time
from typing import Any

import httpx
import pytest
from jose import jwt
from storage3.exceptions import StorageApiError

from tests.local.storage.shop import (
    DENIED,
    NO_BUCKET,
    NO_KEY,
    PNG,
    PRIVATE,
    PUBLIC,
    WEBP,
    Shop,
    fresh,
    on_disk,
    refusal,
)


def test_signed_uploads(shop: Shop) -> None:
    """Whoever may upload hands out an address that one file can be put to, under his name."""
    path = f"{shop.sofa}/{fresh()}"
    with pytest.raises(StorageApiError):
        shop.client("cashier").storage.from_(PRIVATE).create_signed_upload_url(path)
    ticket = shop.client("admin").storage.from_(PRIVATE).create_signed_upload_url(path)
    bearer = shop.client("anon").storage.from_(PRIVATE)
    with pytest.raises(StorageApiError):
        bearer.upload_to_signed_url(
            f"{shop.sofa}/{fresh()}", ticket["token"], PNG, {"content-type": "image/png"}
        )
    bearer.upload_to_signed_url(path, ticket["token"], PNG, {"content-type": "image/png"})
    [row] = shop.lab.sql("select owner_id from storage.objects where name = %s", path)
    assert row["owner_id"] == str(shop.world.teak.users["admin"].id)
    with pytest.raises(StorageApiError) as again:
        bearer.upload_to_signed_url(path, ticket["token"], PNG, {"content-type": "image/png"})
    assert again.value.code == "Duplicate"


@pytest.mark.parametrize("bucket", [PRIVATE, PUBLIC])
@pytest.mark.parametrize("name", ["cashier", "foreign admin", "nobody", None])
def test_who_may_not_write_writes_nothing(shop: Shop, name: str | None, bucket: str) -> None:
    """Every way to write, for who only reads, for strangers and visitors: refused, nothing left behind."""
    path = f"{bucket}/{shop.sofa}/{fresh()}"
    assert shop.put(path).status_code == 200
    key = path.removeprefix(f"{bucket}/")
    before, rows = on_disk(shop), shop.lab.sql("select * from storage.objects order by id")
    other = f"{shop.sofa}/{fresh()}"
    headers = {"Content-Type": "image/png"}
    who = shop.lab.keys.anon_key if name is None else shop.token(name)

    def send(method: str, address: str, **options: Any) -> tuple[int, str, str]:
        answer = shop.lab.http(method, f"/storage/v1{address}", token=who, **options)
        return refusal(answer)

    assert send("POST", f"/object/{bucket}/{other}", content=PNG, headers=headers) == DENIED
    upsert = {**headers, "x-upsert": "true"}
    assert send("POST", f"/object/{path}", content=WEBP, headers=upsert) == DENIED
    assert send("PUT", f"/object/{path}", content=WEBP, headers=headers) == DENIED
    assert send("POST", f"/object/upload/sign/{bucket}/{other}") == DENIED
    reads = name == "cashier"
    places = {"bucketId": bucket, "sourceKey": key, "destinationKey": other}
    assert send("POST", "/object/move", json=places) == NO_KEY
    assert send("POST", "/object/copy", json=places) == (DENIED if reads else NO_KEY)
    assert send("DELETE", f"/object/{path}") == NO_KEY
    answer = shop.lab.http("DELETE", f"/storage/v1/object/{bucket}", token=who, json={"prefixes": [key]})
    assert answer.json() == []
    assert on_disk(shop) == before
    assert shop.lab.sql("select * from storage.objects order by id") == rows


def test_who_may_read_what(shop: Shop) -> None:
    """The house reads both buckets; strangers and visitors the public one by address, and list neither."""
    keys = {bucket: f"{shop.sofa}/{fresh()}" for bucket in (PRIVATE, PUBLIC)}
    for bucket, key in keys.items():
        assert shop.put(f"{bucket}/{key}").status_code == 200
    for name in ("cashier", "foreign admin", "nobody", None):
        inside = name == "cashier"
        for bucket, key in keys.items():
            for address in (f"/object/{bucket}/{key}", f"/object/authenticated/{bucket}/{key}"):
                answer = shop.send("GET", address, name)
                assert (answer.content == PNG) == (inside or bucket == PUBLIC), (name, address)
            info = shop.send("GET", f"/object/info/{bucket}/{key}", name)
            assert (info.status_code == 200) == (inside or bucket == PUBLIC)
            head = shop.send("HEAD", f"/object/{bucket}/{key}", name)
            assert (head.status_code == 200) == (inside or bucket == PUBLIC)
            assert head.content == b""
            signed = shop.send("POST", f"/object/sign/{bucket}/{key}", name, json={"expiresIn": 60})
            assert (signed.status_code == 200) == inside
            top = shop.send("POST", f"/object/list/{bucket}", name, json={"prefix": ""}).json()
            assert (str(shop.world.teak.id) in {entry["name"] for entry in top}) == inside
            for prefix in (str(shop.world.teak.id), shop.sofa):
                listed = shop.send("POST", f"/object/list/{bucket}", name, json={"prefix": prefix})
                assert bool(listed.json()) == inside, (name, bucket, prefix)
                deep = shop.send("POST", f"/object/list-v2/{bucket}", name, json={"prefix": prefix})
                assert bool(deep.json()["objects"]) == inside
    assert shop.send("GET", f"/object/public/{PUBLIC}/{keys[PUBLIC]}").content == PNG
    assert shop.lab.http("GET", f"/storage/v1/object/public/{PUBLIC}/{keys[PUBLIC]}", key="").content == PNG
    for name in ("admin", None):
        assert refusal(shop.send("GET", f"/object/public/{PRIVATE}/{keys[PRIVATE]}", name)) == NO_BUCKET
        assert refusal(shop.send("GET", f"/object/info/public/{PRIVATE}/{keys[PRIVATE]}", name)) == NO_BUCKET


@pytest.mark.parametrize(
    "path",
    [
        "{sofa}/%2e%2e/%2e%2e/{pump}/x.png",
        "{sofa}%2f..%2f..%2f{pump}%2fx.png",
        "{sofa}/..%2f..%2f..%2fx.png",
        "{sofa}/..%5c..%5cx.png",
        "..%2f..%2f..%2f..%2fetc%2fpasswd.png",
        "{sofa}//x.png",
        "%2f{sofa}/x.png",
        "{SOFA}/x.png",
        "{pump}/x.png",
        "{pump_in_teak}/x.png",
        "{sofa}/x.png%00.html",
        "{sofa}/x.png%0a",
        "{sofa}/x.png/",
        "{sofa}/%zz.png",
        "{sofa}/deep/x.png",
        "x.png",
    ],
)
@pytest.mark.parametrize("bucket", [PRIVATE, PUBLIC])
def test_paths_that_lie(shop: Shop, path: str, bucket: str) -> None:
    """However a path is spelt, nothing is written outside one's own products."""
    product = shop.pump.split("/")[1]
    spelt = path.format(
        sofa=shop.sofa,
        SOFA=shop.sofa.upper(),
        pump=shop.pump,
        pump_in_teak=f"{shop.world.teak.id}/{product}",
    )
    before, rows = on_disk(shop), shop.lab.sql("select * from storage.objects order by id")
    # httpx would tidy the address up before sending it; this goes out letter by letter.
    with httpx.Client(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {shop.token('admin')}", "Content-Type": "image/png"}
        url = httpx.URL(shop.lab.url).copy_with(raw_path=f"/storage/v1/object/{bucket}/{spelt}".encode())
        answer = client.post(url, content=PNG, headers=headers)
        signed = client.post(
            url.copy_with(raw_path=f"/storage/v1/object/upload/sign/{bucket}/{spelt}".encode()),
            headers=headers,
        )
    assert answer.status_code in (400, 404)
    assert signed.status_code in (400, 404)
    assert on_disk(shop) == before
    assert shop.lab.sql("select * from storage.objects order by id") == rows


def test_an_encoded_slash_is_a_slash(shop: Shop) -> None:
    """The policy and the file see one and the same key, so an encoded address is no second door."""
    key = f"{shop.sofa}/{fresh()}"
    assert shop.put(f"{PRIVATE}/{key.replace('/', '%2F')}").json()["Key"] == f"{PRIVATE}/{key}"
    assert shop.send("GET", f"/object/{PRIVATE}/{key}", "cashier").content == PNG
    address = f"/object/{PRIVATE}/{key.replace('/', '%2F')}"
    assert refusal(shop.send("GET", address, "foreign admin")) == NO_KEY


def test_inserting_needs_the_policy_for_insert_alone(shop: Shop) -> None:
    """A visitor may drop a letter that he can neither read nor replace, as on the hosted platform."""
    letter, anon = f"notes/letters/{fresh('.txt')}", shop.lab.keys.anon_key
    headers = {"Content-Type": "text/plain"}

    def drop(**more: str) -> httpx.Response:
        address = f"/storage/v1/object/{letter}"
        return shop.lab.http("POST", address, token=anon, content=b"hello", headers={**headers, **more})

    assert drop().status_code == 200
    assert refusal(drop()) == (400, "409", "Duplicate")
    assert refusal(drop(**{"x-upsert": "true"})) == DENIED
    assert refusal(shop.lab.http("GET", f"/storage/v1/object/{letter}", token=anon)) == NO_KEY


def test_the_caller_is_who_the_token_says(shop: Shop) -> None:
    """Forged, expired, unsigned or unnamed: refused. The service key passes every policy, not every limit."""
    path = f"{PRIVATE}/{shop.sofa}/{fresh()}"
    headers = {"Content-Type": "image/png"}

    def post(token: str | None, key: str | None = None) -> httpx.Response:
        return shop.lab.http(
            "POST", f"/storage/v1/object/{path}", token=token, key=key, content=PNG, headers=headers
        )

    claims = {"sub": str(shop.world.teak.users["admin"].id), "role": "authenticated", "exp": time.time() + 60}
    for token in (
        jwt.encode(claims, "x" * 40, "HS256"),
        jwt.encode(claims, shop.lab.keys.jwt_secret, "HS512"),
        shop.token("admin", exp=int(time.time()) - 5),
        "eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.",
        "a.b.c",
    ):
        assert refusal(post(token)) == DENIED, token
    for role in ("supabase_storage_admin", "supabase_admin", "postgres", "nosuchrole", 'x"y'):
        assert refusal(post(shop.token("admin", role=role))) == DENIED, role
    assert refusal(post("sb_publishable_wrong"))[1] == "400"
    assert refusal(post(None, key=""))[1] == "400"
    assert refusal(post(None)) == DENIED
    assert post(shop.lab.keys.service_role_key).is_success
    [row] = shop.lab.sql(
        "select owner_id from storage.objects where name = %s", path.removeprefix(f"{PRIVATE}/")
    )
    assert row["owner_id"] is None


def test_signed_addresses_say_no_more_than_they_say(shop: Shop) -> None:
    """Not another file, not after their time, not for an upload, not as a sign-in."""
    path, other = (f"{PRIVATE}/{shop.sofa}/{fresh()}" for _ in range(2))
    assert shop.put(path).is_success
    assert shop.put(other).is_success
    body = {"expiresIn": 1}
    signed = shop.send("POST", f"/object/sign/{path}", "cashier", json=body).json()["signedURL"]
    token = signed.partition("?token=")[2]
    assert shop.send("GET", signed).content == PNG
    assert refusal(shop.send("GET", f"/object/sign/{other}?token={token}"))[2] == "InvalidSignature"
    assert refusal(shop.send("GET", f"/object/sign/{path}"))[2] == "MissingParameter"
    assert refusal(shop.send("PUT", f"/object/upload/sign/{path}?token={token}"))[2] == "InvalidSignature"
    assert refusal(shop.send("GET", f"/object/sign/{path}?token={shop.token('admin')}"))[2] == "InvalidJWT"
    answer = shop.lab.http("POST", f"/storage/v1/object/list/{PRIVATE}", token=token, json={"prefix": ""})
    assert refusal(answer) == DENIED
    assert shop.lab.http("GET", "/rest/v1/products", token=token).status_code == 401
    time.sleep(2)
    assert refusal(shop.send("GET", signed))[2] == "InvalidJWT"
    for seconds in (0, -1, 1.5, "soon", None):
        answer = shop.send("POST", f"/object/sign/{path}", "cashier", json={"expiresIn": seconds})
        assert refusal(answer)[1] == "400"


def test_migrations_may_do_what_they_may_on_the_hosted_platform(shop: Shop) -> None:
    """Role postgres writes policies and buckets; tables and functions of Storage are not his."""
    for allowed in (
        'create policy "A test\'s own" on storage.objects for select to anon using (false)',
        'drop policy "A test\'s own" on storage.objects',
        "update storage.buckets set public = public",
    ):
        shop.lab.sql(allowed)
    for refused in (
        "alter table storage.objects add column mine int",
        "alter table storage.objects disable row level security",
        "create index on storage.objects (owner_id)",
        "create table storage.mine (id int)",
        "create or replace function storage.filename(name text) returns text language sql as 'select name'",
        "drop function storage.extension(text)",
        "drop table storage.objects",
        "comment on table storage.objects is 'mine'",
        "delete from storage.objects",
        "delete from storage.buckets",
    ):
        with pytest.raises(Exception, match=r"must be owner|not allowed"):
            shop.lab.sql(refused)
