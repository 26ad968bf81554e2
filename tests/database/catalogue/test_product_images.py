"""Pictures of products: the catalogue's rows, and the policies on the files of Storage, by persona.

Storage works on `storage.objects` in the caller's role: these statements are what its requests come down to.
"""

from uuid import UUID

import pytest

from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import House, People

BUCKETS = ("product-images", "storefront")


def product_of(people: People, house: House, key: str) -> UUID:
    """The product behind a variant of the world."""
    row = people.connection.execute(
        "select product_id from public.product_variants where id = %s", [house.variants[key]]
    ).fetchone()
    assert row is not None
    product: UUID = row[0]
    return product


@pytest.fixture
def folder(people: People) -> str:
    """Where the sofa's pictures lie."""
    teak = people.world.teak
    return f"{teak.id}/{product_of(people, teak, 'sofa')}"


@pytest.fixture(autouse=True)
def deleting_as_storage_does(people: People) -> None:
    """Storage says that it is Storage before it deletes; then the policies alone decide."""
    people.connection.execute("select set_config('storage.allow_delete_query', 'true', true)")


def upload(person: Persona, name: str, bucket: str = "product-images") -> None:
    """What an upload does in the database."""
    person.execute("insert into storage.objects (bucket_id, name) values (%s, %s)", [bucket, name])


def listed(person: Persona, bucket: str = "product-images") -> list[str]:
    """What a list shows."""
    rows = person.select("select name from storage.objects where bucket_id = %s order by name", [bucket])
    return [row["name"] for row in rows]


def add(person: Persona, path: str, **columns: object) -> UUID:
    """Add a row for a picture and return its id."""
    org, product, _ = path.split("/")
    values = {"id": new_id(), "org_id": org, "product_id": product, "path": path, **columns}
    names = ", ".join(values)
    person.execute(
        f"insert into public.product_images ({names}) values ({', '.join(['%s'] * len(values))})",  # noqa: S608
        list(values.values()),
    )
    made: UUID = values["id"]  # type: ignore[assignment]
    return made


def test_buckets_are_as_meant(people: People) -> None:
    """One private, one public; 5 MB; pictures only, none that can carry a script."""
    rows = people.connection.execute(
        "select id, public, file_size_limit, allowed_mime_types from storage.buckets order by id"
    ).fetchall()
    types = ["image/png", "image/jpeg", "image/webp"]
    assert rows == [("product-images", False, 5 * 1024**2, types), ("storefront", True, 5 * 1024**2, types)]


def test_policies_are_sentences_for_who_is_signed_in(people: People) -> None:
    """One for each verb, none for visitors: what they may read is public, and asks no policy."""
    rows = people.connection.execute(
        "select cmd, roles::text[], policyname from pg_policies where schemaname = 'storage' order by cmd"
    ).fetchall()
    assert [row[0] for row in rows] == ["DELETE", "INSERT", "SELECT", "UPDATE"]
    assert all(row[1] == ["authenticated"] for row in rows)
    assert all(row[2].startswith("Who holds catalogue.") for row in rows)


@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize("role", ["admin", "inventory_manager"])
def test_who_manages_the_catalogue_uploads_moves_and_removes(
    people: People, role: str, bucket: str, folder: str
) -> None:
    person = people.as_role(role)
    upload(person, f"{folder}/side.png", bucket)
    moved = person.execute(
        "update storage.objects set name = %s where name = %s", [f"{folder}/back.png", f"{folder}/side.png"]
    )
    assert moved == 1
    assert f"{folder}/back.png" in listed(person, bucket)
    assert person.execute("delete from storage.objects where name = %s", [f"{folder}/back.png"]) == 1


@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize("role", ["cashier", "sales_executive", "technician"])
def test_who_reads_the_catalogue_only_reads(people: People, role: str, bucket: str, folder: str) -> None:
    name = f"{folder}/side.png"
    upload(people.as_admin(), name, bucket)
    person = people.as_role(role)
    assert name in listed(person, bucket)
    with raises_sqlstate("42501"):
        upload(person, f"{folder}/back.png", bucket)
    assert person.execute("update storage.objects set name = name || '.png' where name = %s", [name]) == 0
    assert person.execute("delete from storage.objects where name = %s", [name]) == 0
    with raises_sqlstate("42501"):
        person.execute(
            "insert into storage.objects (bucket_id, name) values (%s, %s) "
            "on conflict (bucket_id, name) do update set version = 'x'",
            [bucket, name],
        )


@pytest.mark.parametrize("bucket", BUCKETS)
def test_strangers_see_and_write_nothing(people: People, bucket: str, folder: str) -> None:
    """Another house's admin, somebody of no house, a visitor: no file, also in the public bucket."""
    upload(people.as_admin(), f"{folder}/side.png", bucket)
    for person in (people.as_foreign_admin(), people.as_nobody(), people.as_anon()):
        assert [name for name in listed(person, bucket) if name.startswith(str(people.world.teak.id))] == []
        with raises_sqlstate("42501"):
            upload(person, f"{folder}/theirs.png", bucket)
        assert person.execute("update storage.objects set owner_id = 'me' where name ~ 'side'") == 0
        assert person.execute("delete from storage.objects where name ~ 'side'") == 0


def in_both_houses(people: People) -> Persona:
    """Teak & Thread's admin, who also works as a cashier for the other business."""
    admin, invitation = people.as_admin(), new_id()
    people.as_foreign_admin().rpc(
        "invite_member",
        p_id=invitation,
        p_org_id=people.world.lagoon.id,
        p_email=admin.email,
        p_role="cashier",
        p_branch_ids=[people.world.lagoon.branches[0].id],
    )
    admin.rpc("accept_invitation", p_id=invitation)
    return admin


def test_a_file_is_not_moved_out_of_the_house(people: People, folder: str) -> None:
    """Not to a house where one only reads nor under its products, not from there, not to another bucket."""
    person, lagoon = in_both_houses(people), people.world.lagoon
    theirs = f"{lagoon.id}/{product_of(people, lagoon, 'pump')}"
    upload(person, f"{folder}/side.png")
    upload(people.as_foreign_admin(), f"{theirs}/side.png")
    assert f"{theirs}/side.png" in listed(person)
    people.connection.execute("insert into storage.buckets (id, name) values ('other', 'other')")
    people.connection.execute(
        'create policy "Anyone reads the other" on storage.objects for select to authenticated '
        "using (bucket_id = 'other')"
    )
    move = "update storage.objects set name = %s where name = %s"
    for bad in (
        f"{theirs}/mine.png",
        f"{people.world.teak.id}/{theirs.split('/')[1]}/mine.png",
        f"{folder}/../side.png",
        f"{folder}/side.svg",
    ):
        with raises_sqlstate("42501"):
            person.execute(move, [bad, f"{folder}/side.png"])
        with raises_sqlstate("42501"):
            upload(person, bad)
    assert person.execute(move, [f"{folder}/taken.png", f"{theirs}/side.png"]) == 0
    with raises_sqlstate("42501"):
        person.execute(
            "update storage.objects set bucket_id = 'other' where name = %s", [f"{folder}/side.png"]
        )
    with raises_sqlstate("42501"):
        upload(person, f"{folder}/side.png", "other")


def test_other_buckets_are_left_alone(people: People, folder: str) -> None:
    """The policies open their two buckets and no third, whatever its files are called."""
    people.connection.execute("insert into storage.buckets (id, name) values ('other', 'other')")
    people.connection.execute(
        "insert into storage.objects (bucket_id, name) values ('other', %s)", [f"{folder}/x.png"]
    )
    assert listed(people.as_admin(), "other") == []


@pytest.mark.parametrize(
    "name",
    [
        "{org}",
        "{org}/",
        "{org}/{product}",
        "{org}/{product}/",
        "{org}/front.png",
        "/{org}/{product}/front.png",
        "{org}//{product}/front.png",
        "{org}/{product}//front.png",
        "{org}/{product}/../front.png",
        "{org}/{product}/..",
        "{org}/../{other}/{pump}/front.png",
        "{org}/{product}/deep/front.png",
        "{org}/{product}/front.svg",
        "{org}/{product}/front.png.html",
        "{org}/{product}/front",
        "{org}/{product}/.png",
        "{org}/{product}/fr ont.png",
        "{org}/{product}/front.png\n",
        "{org}/{product}/front%2F.png",
        "{ORG}/{product}/front.png",
        "{org}/{PRODUCT}/front.png",
        "{org}/{pump}/front.png",
        "{org}/{unknown}/front.png",
        "{org}/not-a-uuid/front.png",
        "{other}/{pump}/front.png",
        "{other}/{product}/front.png",
        "not-a-uuid/{product}/front.png",
        "{unknown}/{product}/front.png",
        "{braced}/{product}/front.png",
        "",
        "/",
        "//",
        "../../etc/passwd",
    ],
)
def test_malformed_paths_are_refused(people: People, name: str) -> None:
    """By the policy, with its own error: nothing is cast that is no uuid, no way leads into another house."""
    teak, lagoon = people.world.teak, people.world.lagoon
    org, product = str(teak.id), str(product_of(people, teak, "sofa"))
    path = name.format(
        org=org,
        ORG=org.upper() if org.upper() != org else "A" * 36,
        product=product,
        PRODUCT=product.upper(),
        other=lagoon.id,
        pump=product_of(people, lagoon, "pump"),
        unknown=new_id(),
        braced=f"{{{org}}}",
    )
    for bucket in BUCKETS:
        with raises_sqlstate("42501"):
            upload(people.as_admin(), path, bucket)


def test_no_name_at_all_is_refused(people: People) -> None:
    with raises_sqlstate("42501"):
        people.as_admin().execute("insert into storage.objects (bucket_id) values ('product-images')")


def test_a_revoked_permission_is_gone_at_once(people: People, folder: str) -> None:
    """The table decides, not the token."""
    keeper = people.as_stockkeeper()
    upload(keeper, f"{folder}/side.png")
    people.connection.execute(
        "update public.memberships set status = 'suspended' where user_id = %s", [keeper.user_id]
    )
    assert listed(keeper) == []
    with raises_sqlstate("42501"):
        upload(keeper, f"{folder}/back.png")


def test_rows_by_persona(people: People, folder: str) -> None:
    """Written by who manages the catalogue, read by who reads it, unknown to everybody else."""
    upload(people.as_admin(), f"{folder}/side.png")
    with raises_sqlstate("42501"):
        add(people.as_cashier(), f"{folder}/side.png")
    made = add(people.as_stockkeeper(), f"{folder}/side.png", alt_text="From the side", position=2)
    query = "select position, alt_text from public.product_images where id = %s"
    assert people.as_cashier().select(query, [made]) == [{"position": 2, "alt_text": "From the side"}]
    assert people.as_foreign_admin().select(query, [made]) == []
    assert people.as_nobody().select(query, [made]) == []
    with raises_sqlstate("42501"):
        people.as_anon().select(query, [made])
    change = "update public.product_images set position = 1 where id = %s"
    assert people.as_stockkeeper().execute(change, [made]) == 1
    assert people.as_cashier().execute(change, [made]) == 0
    assert people.as_foreign_admin().execute(change, [made]) == 0
    assert people.as_admin().select("select count(*) as n from audit_log where row_id = %s", [str(made)]) == [
        {"n": 2}
    ]


def test_a_row_names_a_file_of_its_own_product(people: People, folder: str) -> None:
    """Not another product's, not another house's, not one that was never uploaded."""
    admin, teak, lagoon = people.as_admin(), people.world.teak, people.world.lagoon
    upload(admin, f"{folder}/side.png")
    lamp = product_of(people, teak, "lamp")
    with raises_sqlstate("23514"):
        add(admin, f"{folder}/side.png", product_id=lamp)
    theirs = f"{lagoon.id}/{product_of(people, lagoon, 'pump')}/front.jpg"
    with raises_sqlstate("23514"):
        add(admin, theirs, org_id=teak.id, product_id=lamp)
    with raises_sqlstate("42501"):
        add(admin, theirs)
    with raises("file_missing", 422) as refusal:
        add(admin, f"{folder}/never.png")
    assert refusal.facts["path"] == f"{folder}/never.png"
    with raises("file_missing", 422):
        add(admin, f"{folder}/side.png", bucket_id="storefront")
    with raises_sqlstate("23514"):
        add(admin, f"{folder}/side.png", bucket_id="elsewhere")
    for path in ("side.svg", "a/side.png", "../side.png", ".png"):
        with raises_sqlstate("23514"):
            admin.execute(
                "insert into public.product_images (org_id, product_id, path) select org_id, id, "
                "org_id::text || '/' || id::text || '/' || %s from public.products where id = %s",
                [path, folder.split("/")[1]],
            )


def test_a_file_has_one_row(people: People, folder: str) -> None:
    upload(people.as_admin(), f"{folder}/side.png")
    add(people.as_admin(), f"{folder}/side.png")
    with raises_sqlstate("23505"):
        add(people.as_admin(), f"{folder}/side.png")


def test_a_variant_is_one_of_the_product(people: People, folder: str) -> None:
    variants = people.world.teak.variants
    upload(people.as_admin(), f"{folder}/side.png")
    with raises_sqlstate("23503"):
        add(people.as_admin(), f"{folder}/side.png", variant_id=variants["lamp"])
    add(people.as_admin(), f"{folder}/side.png", variant_id=variants["sofa"])


def test_a_file_in_use_stays(people: People, folder: str) -> None:
    """Not overwritten, moved or removed until its row is archived; brought back only while it is there."""
    admin, name = people.as_admin(), f"{folder}/side.png"
    upload(admin, name)
    made = add(admin, name)
    assert admin.execute("delete from storage.objects where name = %s", [name]) == 0
    assert admin.execute("update storage.objects set name = %s where name = %s", [name + "x", name]) == 0
    with raises_sqlstate("42501"):
        admin.execute(
            "insert into storage.objects (bucket_id, name) values ('product-images', %s) "
            "on conflict (bucket_id, name) do update set version = 'x'",
            [name],
        )
    archive = "update public.product_images set archived_at = {} where id = %s"
    assert admin.execute(archive.format("now()"), [made]) == 1
    assert admin.execute(archive.format("null"), [made]) == 1
    assert admin.execute(archive.format("now()"), [made]) == 1
    assert admin.execute("delete from storage.objects where name = %s", [name]) == 1
    with raises("file_missing", 422):
        admin.execute(archive.format("null"), [made])


def test_a_row_keeps_its_file_and_is_not_deleted(people: People) -> None:
    for statement in (
        "delete from public.product_images",
        "update public.product_images set path = path",
        "update public.product_images set bucket_id = 'storefront'",
        "update public.product_images set product_id = product_id",
    ):
        with raises_sqlstate("42501"):
            people.as_admin().execute(statement)


@pytest.mark.parametrize(
    "change", ["position = -1", "position = 10000", "alt_text = ' '", "alt_text = repeat('x', 301)"]
)
def test_malformed_rows(people: People, change: str) -> None:
    with raises_sqlstate("23514"):
        people.as_admin().execute(f"update public.product_images set {change}")  # noqa: S608


def test_rows_are_deleted_by_storage_alone(people: People) -> None:
    """SQL would leave the files: Storage's own trigger refuses it, whoever asks."""
    people.connection.execute("select set_config('storage.allow_delete_query', 'false', true)")
    with raises_sqlstate("42501"):
        people.as_admin().execute("delete from storage.objects")
    with raises_sqlstate("42501"), people.connection.transaction():
        people.connection.execute("delete from storage.objects")
