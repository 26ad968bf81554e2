"""Labels: PDF sheets and rolls of them, and one as a picture."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from backend.app.core.errors import Problem
from backend.app.core.gateway import CallerGateway, Gateway
from backend.app.core.resource import room_router
from backend.app.core.responses import header, problems
from backend.app.schemas import labels as schemas
from backend.app.services.labels import printing
from backend.app.services.labels.formats import FORMATS
from backend.app.services.labels.subjects import Kind, Show, Wanted, read_subjects
from backend.app.services.press import Press, ThePress

router = room_router("/v1/inventory", "inventory")

Things = Literal["variants", "locations", "batches"]
_KINDS: dict[str, Kind] = {"variants": "variant", "locations": "location", "batches": "batch"}
_HEADERS = {"Cache-Control": "private, no-cache"}


def _file(media_type: str, schema: dict[str, str], example: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` entry of a file."""
    return {
        200: {
            "description": "The file",
            "content": {media_type: {"schema": schema, "example": example}},
            "headers": header("Content-Disposition", "Its name"),
        }
    }


_BINARY = {"type": "string", "format": "binary"}


@router.post(
    "/labels",
    operation_id="print_labels",
    summary="Print labels",
    response_class=Response,
    responses={**_file("application/pdf", _BINARY, "%PDF-1.4"), **problems(400, 404)},
)
async def print_labels(gateway: CallerGateway, press: ThePress, body: schemas.LabelRequest) -> Response:
    """Labels for variants, pieces, batches and locations as one PDF. A QR code holds `bl:variant:<id>`,
    `bl:unit:<variant id>:<serial>`, `bl:batch:<id>` or `bl:location:<id>`; a linear code the barcode, SKU,
    serial number, batch or location code itself. Permissions: catalogue.read, and stock.read for pieces and
    batches.
    """
    printing.check_start(body.format, body.start_at)
    wanted = [_wanted(item) for item in body.items]
    subjects = await read_subjects(gateway, wanted, _show(body.options))
    copies = [item.copies for item in body.items]
    content = await press.make(
        subjects[0].house,
        printing.sheets,
        list(zip(subjects, copies, strict=True)),
        body.format,
        body.code,
        body.start_at,
    )
    return _answer(content, "application/pdf", "labels.pdf")


@router.get(
    "/labels/formats",
    operation_id="list_label_formats",
    summary="List the label formats",
    response_model=schemas.LabelFormats,
)
async def list_label_formats(_: CallerGateway) -> schemas.LabelFormats:
    """What labels can be printed on."""
    return schemas.LabelFormats(
        formats=[
            schemas.LabelFormat(
                name=name,
                about=form.about,
                width=form.width,
                height=form.height,
                columns=form.columns,
                rows=form.rows,
                per_page=form.per_page,
            )
            for name, form in FORMATS.items()
        ]
    )


@router.get(
    "/labels/{kind}/{item_id}.png",
    operation_id="draw_label_png",
    summary="Draw one label as PNG",
    response_class=Response,
    responses={**_file("image/png", _BINARY, "\u0089PNG"), **problems(400, 404)},
)
async def draw_png(
    gateway: CallerGateway,
    press: ThePress,
    kind: Things,
    item_id: UUID,
    query: Annotated[schemas.PngQuery, Query()],
) -> Response:
    """One label, or its code alone, every bar a whole number of pixels wide. Permissions: as for printing."""
    content = await _picture(gateway, press, kind, item_id, query, "png", query.scale)
    return _answer(content, "image/png", f"{query.part}.png")


@router.get(
    "/labels/{kind}/{item_id}.svg",
    operation_id="draw_label_svg",
    summary="Draw one label as SVG",
    response_class=Response,
    responses={**_file("image/svg+xml", {"type": "string"}, "<svg/>"), **problems(400, 404)},
)
async def draw_svg(
    gateway: CallerGateway,
    press: ThePress,
    kind: Things,
    item_id: UUID,
    query: Annotated[schemas.PictureQuery, Query()],
) -> Response:
    """One label, or its code alone; letters are outlines. Permissions: as for printing."""
    content = await _picture(gateway, press, kind, item_id, query, "svg", 1)
    return _answer(content, "image/svg+xml", f"{query.part}.svg")


async def _picture(
    gateway: Gateway,
    press: Press,
    kind: Things,
    item_id: UUID,
    query: schemas.PictureQuery,
    image: Literal["png", "svg"],
    scale: int,
) -> bytes:
    if query.serial is not None and kind != "variants":
        raise Problem(422, "invalid_input", "serial belongs to variants.", facts={"field": "serial"})
    wanted = Wanted(_KINDS[kind], item_id, query.serial)
    (subject,) = await read_subjects(gateway, [wanted], _show(query))
    return await press.make(
        subject.house, printing.picture, subject, query.part, query.format, query.code, image, scale
    )


def _wanted(item: schemas.LabelItem) -> Wanted:
    if item.variant_id is not None:
        return Wanted("variant", item.variant_id, item.serial)
    if item.batch_id is not None:
        return Wanted("batch", item.batch_id)
    assert item.location_id is not None
    return Wanted("location", item.location_id)


def _show(options: schemas.LabelOptions) -> Show:
    return Show(options.show_price, options.show_details, options.show_sku)


def _answer(content: bytes, media_type: str, name: str) -> Response:
    headers = {**_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
