"""Files through the gateway: clients, overwriting, limits, listing, what is left on disk."""

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from storage3.exceptions import StorageApiError

from local.services import Gateway
from tests.local.storage.shop import (
    NO_BUCKET,
    NO_KEY,
    PNG,
    PRIVATE,
    PUBLIC,
    WEBP,
    Shop,
    folder,
    fresh,
    on_disk,
    refusal,
    versions,
)
from tests.support.stack import Shared


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
