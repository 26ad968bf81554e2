"""The endpoint of a paper: what a question answers, as PDF beside its JSON."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Lookup, annotate, answer_of, name_parts
from backend.app.core.responses import header, problems
from backend.app.services.documents.kinds import Kind
from backend.app.services.papers import content_disposition, paper_of
from backend.app.services.press import ThePress

_ETAG = header("ETag", "Names this document; send it as If-None-Match to be spared the same again")
_NAME = header("Content-Disposition", "The name of the file, which every system and mail program takes")
_PDF = {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.4"}

IfNoneMatch = Annotated[str | None, Header(description="ETag of the document at hand", max_length=200)]


def add_paper(
    router: APIRouter, lookup: Lookup, kind: Kind, formats: Mapping[str, Kind] | None = None
) -> None:
    """Adds `<path of the lookup>/pdf`: what the lookup answers, on paper.

    Who may read the document may print it: the database decides when it is asked for it. formats: the kinds
    that the query's `format` stands for, where it is another than `kind`.
    """

    async def print_paper(
        gateway: CallerGateway, press: ThePress, query: Any, if_none_match: IfNoneMatch = None, **path: UUID
    ) -> Response:
        wanted = (formats or {}).get(getattr(query, "format", ""), kind)
        answer = await answer_of(gateway, lookup, query, path)
        paper = await paper_of(gateway, wanted, answer, getattr(query, "copy_for", "recipient"))
        # Rendering a long document takes a second; who has the same already is spared it.
        headers = {"ETag": paper.etag, "Cache-Control": "private, no-cache"}
        if if_none_match is not None and paper.etag in if_none_match:
            return Response(status_code=304, headers=headers)
        content, name = await paper.made(press)
        headers["Content-Disposition"] = content_disposition(name)
        return Response(content, media_type="application/pdf", headers=headers)

    annotate(print_paper, query=Annotated[lookup.query, Query()])
    name_parts(print_paper, lookup.path)
    noun = kind.replace("_", " ")
    router.add_api_route(
        f"{lookup.path}/pdf",
        print_paper,
        methods=["GET"],
        operation_id=f"print_{kind}",
        summary=f"Print {'an' if noun[0] in 'aeiou' else 'a'} {noun}",
        description=f"What `GET {router.prefix}{lookup.path}` answers, as PDF, to whoever may read it.",
        response_class=Response,
        responses={
            200: {
                "description": "The document",
                "content": {"application/pdf": _PDF},
                "headers": {**_ETAG, **_NAME},
            },
            304: {"description": "The document that the caller has is still right", "headers": _ETAG},
            **problems(*lookup.errors),
        },
    )
