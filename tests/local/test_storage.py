"""Storage through the gateway: product images by persona, paths that lie, limits, what is left on disk."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from jose import jwt
from storage3.exceptions import StorageApiError

from local import databases
from local.services import Gateway
from tests.local.conftest import Lab
from tests.local.shop import PNG, PRIVATE, PUBLIC, WEBP, Shop
from tests.support.personas import connect
from tests.support.stack import Shared
from tests.support.world import make_world


@pytest.fixture(scope="module")
def shop(shared: Shared) -> Iterator[Shop]:
    """A database and a gateway of this module's own, with a bucket beside those of the migrations."""
    name = shared.new_database()
    with connect(shared.cluster.url(name)) as connection, connection.transaction():
        world = make_world(connection)
        connection.execute(
            "insert into storage.buckets (id, name, file_size_limit) values ('notes', 'notes', 1000)"
        )
        connection.execute(
            'create policy "One keeps one\'s own notes" on storage.objects for all to authenticated '
            "using (bucket_id = 'notes' and owner_id = auth.uid()::text) "
            "with check (bucket_id = 'notes' and owner_id = auth.uid()::text)"
        )
        connection.execute(
            'create policy "Anybody drops a letter" on storage.objects for insert to anon '
            "with check (bucket_id = 'notes' and name like 'letters/%')"
        )
    gateway = databases.serve(shared.cluster, name, shared.keys, shared.logs / f"{name}-gateway.log")
    yield Shop(Lab(gateway, shared.cluster, name, shared.keys), world)
    gateway.stop()
    databases.drop(shared.cluster, name)


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


DENIED = (400, "403", "Unauthorized")
NO_KEY = (400, "404", "not_found")
NO_BUCKET = (400, "404", "Bucket not found")


def test_the_python_client_does_everything(shop: Shop) -> None:
    """storage3: upload, list, info, download, sign, copy, move, remove."""
    files, name = shop.client("admin").storage.from_(PRIVATE), fresh()
    path = f"{shop.sofa}/{name}"
    done = files.upload(path, PNG, {"content-type": "image/png", "metadata": {"by": "studio"}})
    assert done.full_path == f"{PRIVATE}/{path}"
    assert files.download(path) == PNG
    [listed] = [entry for entry in files.list(shop.sofa) if entry["name"] == name]
    assert listed["metadata"]["size"] == len(PNG)
    assert listed["metadata"]["mimetype"] == "image/png"
    assert listed["metadata"]["eTag"] == f'"{hashlib.md5(PNG).hexdigest()}"'  # noqa: S324
    info = files.info(path)
    assert (info["size"], info["content_type"], info["metadata"]) == (len(PNG), "image/png", {"by": "studio"})
    assert files.exists(path)
    assert not files.exists(f"{shop.sofa}/{fresh()}")

    signed = files.create_signed_url(path, 60, {"download": "sofa.png"})["signedURL"]
    assert signed is not None
    answer = httpx.get(signed, trust_env=False)
    assert answer.content == PNG
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''sofa.png"
    many = files.create_signed_urls([path, f"{shop.pump}/front.jpg"], 60)
    assert [item["error"] is None for item in many] == [True, False]
    assert many[0]["signedURL"] is not None
    assert httpx.get(many[0]["signedURL"], trust_env=False).content == PNG

    copied, moved = f"{shop.sofa}/{fresh()}", f"{shop.sofa}/{fresh()}"
    files.copy(path, copied)
    assert files.move(copied, moved)["message"] == "Successfully moved"
    assert files.download(moved) == PNG
    assert not files.exists(copied)
    flat = files.list_v2({"prefix": f"{shop.sofa}/", "limit": 1})
    assert flat.hasNext
    assert len(flat.objects) == 1
    rest = files.list_v2({"prefix": f"{shop.sofa}/", "cursor": flat.nextCursor or ""})
    assert {item.key for item in [*flat.objects, *rest.objects]} >= {path, moved}
    level = files.list_v2({"prefix": f"{shop.world.teak.id}/", "with_delimiter": True})
    assert f"{shop.sofa}/" in [item.key for item in level.folders]
    assert level.objects == []

    assert {row["name"] for row in files.remove([path, moved])} == {path, moved}
    with pytest.raises(StorageApiError) as gone:
        files.download(path)
    assert (gone.value.status, gone.value.code) == ("404", "not_found")
    assert on_disk(shop) == versions(shop)


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


def test_supabase_js(shop: Shop) -> None:
    said = shop.lab.run_node(
        "storage_js.test.mjs",
        ADMIN_TOKEN=shop.token("admin"),
        CASHIER_TOKEN=shop.token("cashier"),
        FOREIGN_TOKEN=shop.token("foreign admin"),
        SOFA=shop.sofa,
        PUMP=shop.pump,
    )
    assert "fail 0" in said


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


def test_overwriting_is_asked_for(shop: Shop) -> None:
    """A second upload is a duplicate; with upsert, or PUT, it takes the place and the old content goes."""
    path = f"{PRIVATE}/{shop.sofa}/{fresh()}"
    first = shop.put(path).json()
    before = on_disk(shop)
    assert refusal(shop.put(path, content=WEBP, Content_Type="image/webp")) == (400, "409", "Duplicate")
    assert on_disk(shop) == before
    second = shop.put(path, content=WEBP, Content_Type="image/webp", x_upsert="true").json()
    assert second == first
    answer = shop.send("GET", f"/object/{path}", "cashier")
    assert (answer.content, answer.headers["content-type"]) == (WEBP, "image/webp")
    assert len(on_disk(shop)) == len(before)
    assert shop.send(
        "PUT", f"/object/{path}", "admin", content=PNG, headers={"Content-Type": "image/png"}
    ).is_success
    places = {"bucketId": PRIVATE, "sourceKey": path.removeprefix(f"{PRIVATE}/")}
    other = f"{shop.sofa}/{fresh()}"
    assert shop.put(f"{PRIVATE}/{other}").is_success
    for act in ("move", "copy"):
        answer = shop.send("POST", f"/object/{act}", "admin", json={**places, "destinationKey": other})
        assert refusal(answer) == (400, "409", "Duplicate")
    assert on_disk(shop) == versions(shop)


def test_many_at_one_key(shop: Shop) -> None:
    """Of uploads at once one wins without upsert; with it, one file is left."""
    path = f"{PRIVATE}/{shop.sofa}/{fresh()}"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.put(path), range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        upserts = list(pool.map(lambda _: shop.put(path, x_upsert="true"), range(8)))
    assert all(answer.is_success for answer in upserts), [answer.text for answer in upserts]
    assert on_disk(shop) == versions(shop)


def test_limits_of_the_bucket(shop: Shop) -> None:
    """5 MB and not a byte more, pictures only, whatever the file is called, as a form or as the body."""
    path = f"{PRIVATE}/{shop.sofa}/{fresh()}"
    before = on_disk(shop)
    largest = PNG + bytes(5 * 1024**2 - len(PNG))
    large = (400, "413", "Payload too large")
    assert refusal(shop.put(path, content=largest + b"!")) == large
    form = {"file": ("x.png", largest + b"!", "image/png")}
    assert refusal(shop.send("POST", f"/object/{path}", "admin", files=form)) == large
    wrong = (400, "415", "invalid_mime_type")
    for kind in (
        "image/svg+xml",
        "text/html",
        "application/octet-stream",
        "image/pngx",
        "text/plain;image/png",
        "",
    ):
        assert refusal(shop.put(path, Content_Type=kind)) == wrong, kind
        form = {"file": ("x.png", PNG, kind or "application/octet-stream")}
        assert refusal(shop.send("POST", f"/object/{path}", "admin", files=form)) == wrong, kind
    assert refusal(shop.send("POST", f"/object/{path}", "admin", files={"other": (None, "x")}))[1] == "400"
    assert on_disk(shop) == before
    assert shop.put(path, content=largest).is_success

    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(64 * 1024)

    answer = shop.send(
        "PUT", f"/object/{path}", "admin", content=endless(), headers={"Content-Type": "image/png"}
    )
    assert refusal(answer) == large


def test_answers_carry_what_a_browser_needs(shop: Shop) -> None:
    """Type, caching, no sniffing; unchanged content is not sent again; nothing runs as a page."""
    path = f"{PUBLIC}/{shop.sofa}/{fresh()}"
    assert shop.put(path, Cache_Control="max-age=600").is_success
    answer = shop.send("GET", f"/object/public/{path}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "max-age=600"
    assert answer.headers["access-control-allow-origin"] == "*"
    same = shop.send("GET", f"/object/public/{path}", headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    note = f"notes/{fresh('.html')}"
    assert shop.put(note, content=b"<script>", Content_Type="text/html; charset=utf-8").is_success
    page = shop.send("GET", f"/object/{note}", "admin")
    assert page.headers["content-type"] == "text/plain"
    assert page.headers["x-content-type-options"] == "nosniff"


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


def test_a_file_in_use_stays(shop: Shop) -> None:
    """From the upload to the row, and back: what the app developer does."""
    admin = shop.client("admin")
    files, key = admin.storage.from_(PUBLIC), f"{shop.sofa}/{fresh()}"
    files.upload(key, PNG, {"content-type": "image/png"})
    org, product, _ = key.split("/")
    image = {"org_id": org, "product_id": product, "bucket_id": PUBLIC, "path": key, "alt_text": "Sofa"}
    admin.table("product_images").insert(image).execute()
    assert httpx.get(files.get_public_url(key), trust_env=False).content == PNG
    assert files.remove([key]) == []
    assert files.exists(key)
    admin.table("product_images").update({"archived_at": "now"}).eq("path", key).execute()
    assert [gone["name"] for gone in files.remove([key])] == [key]
    assert httpx.get(files.get_public_url(key), trust_env=False).status_code == 400
    assert on_disk(shop) == versions(shop)


def test_buckets_and_unknown_places(shop: Shop) -> None:
    """Buckets are the service key's to see; what is not there is said in Storage's words."""
    service = shop.lab.admin().storage
    assert {bucket.id for bucket in service.list_buckets()} == {PRIVATE, PUBLIC, "notes"}
    bucket = service.get_bucket(PRIVATE)
    assert (bucket.public, bucket.file_size_limit) == (False, 5 * 1024**2)
    assert shop.client("admin").storage.list_buckets() == []
    assert refusal(shop.send("GET", f"/bucket/{PRIVATE}", "admin")) == NO_BUCKET
    assert refusal(shop.put(f"nowhere/{shop.sofa}/x.png")) == NO_BUCKET
    assert refusal(shop.send("GET", "/object/nowhere/x.png", "admin")) == NO_BUCKET
    assert shop.send("POST", "/object/list/nowhere", "admin", json={"prefix": ""}).json() == []
    assert shop.send("GET", "/nowhere", "admin").status_code == 404
    assert shop.send("PATCH", f"/object/{PRIVATE}/x", "admin").status_code == 404
    assert refusal(shop.send("GET", f"/render/image/public/{PUBLIC}/x.png"))[2] == "FeatureNotEnabled"
    # A row that was made in SQL has no file: that is an answer, not a failure.
    assert refusal(shop.send("GET", f"/object/{PRIVATE}/{_front(shop)}", "admin")) == NO_KEY
    places = {"bucketId": PRIVATE, "sourceKey": _front(shop), "destinationKey": f"{shop.sofa}/{fresh()}"}
    assert refusal(shop.send("POST", "/object/copy", "admin", json=places)) == NO_KEY
    bodies: list[object] = [{}, {"prefixes": []}, {"prefixes": "x"}, {"prefixes": [{"path": "x"}]}, [], None]
    for body in bodies:
        answer = shop.send("DELETE", f"/object/{PRIVATE}", "admin", json=body)
        assert refusal(answer)[1] == "400", body


def _front(shop: Shop) -> str:
    query = "select path from public.product_images where org_id = %s and path like '%%/front.jpg'"
    return str(shop.lab.sql(query, shop.world.teak.id)[0]["path"])


def test_listing_folders(shop: Shop) -> None:
    """Folders come without an id; search, order, limit and offset do what they say; wildcards are letters."""
    keys = [f"inbox/{name}" for name in ("a_1.txt", "axx.txt", "b!.txt", "sub/c.txt", "sub/d.txt")]
    for key in keys:
        assert shop.put(f"notes/{key}", name="cashier", content=b"x", Content_Type="text/plain").is_success

    def names(**body: object) -> list[tuple[str, bool]]:
        rows = shop.send("POST", "/object/list/notes", "cashier", json=body).json()
        return [(row["name"], row["id"] is None) for row in rows]

    assert names(prefix="") == [("inbox", True)]
    everything = [("a_1.txt", False), ("axx.txt", False), ("b!.txt", False), ("sub", True)]
    assert names(prefix="inbox") == names(prefix="inbox/") == everything
    assert names(prefix="inbox", search="a_") == [("a_1.txt", False)]
    assert names(prefix="inbox", search="%") == []
    assert names(prefix="inbox", limit=2, offset=1) == everything[1:3]
    assert names(prefix="inbox", sortBy={"column": "name", "order": "desc"}) == everything[::-1]
    assert names(prefix="inbox/sub") == [("c.txt", False), ("d.txt", False)]
    assert names(prefix="inbox/s") == []


def test_orphans_are_swept_at_the_start(shop: Shop, shared: Shared) -> None:
    """What a killed gateway left between file and row is gone with the next start; what has a row stays."""
    path = f"{PRIVATE}/{shop.sofa}/{fresh()}"
    assert shop.put(path).is_success
    orphan = folder(shop) / "ab" / str(uuid.uuid4())
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left")
    half = orphan.with_name(f"{uuid.uuid4()}.part")
    half.write_bytes(b"le")
    lab = shop.lab
    url = lab.cluster.superuser_url(lab.database)
    again = Gateway(url, lab.keys, log=shared.logs / "sweep-gateway.log", storage=folder(shop))
    again.start()
    again.stop()
    assert not orphan.exists()
    assert not half.exists()
    assert shop.send("GET", f"/object/{path}", "cashier").content == PNG


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
