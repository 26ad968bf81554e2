"""One helper for every resource: a router declares what there is, this serves it through PostgREST.

Nothing here decides who may do what: the tables' policies and grants do, and the functions of the database.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import Parameter
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from postgrest.base_request_builder import RequestConfig
from pydantic import BaseModel

from backend.app.core.errors import Problem
from backend.app.core.gateway import SINGLE_OBJECT, Answer, CallerGateway, Gateway
from backend.app.core.listing import Listing, ListQuery, read_page
from backend.app.core.responses import SIGNED_IN, ExactRoute, header, passed_on, problems
from backend.app.schemas.base import Input, Row
from backend.app.schemas.page import Items, Page

_PART = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Resource:
    """A table or view and what may be done with it.

    path: beneath the router. noun, plural: for summaries and operation ids ("stock level", "stock levels").
    row: the columns of the answer. query: filters and sort keys. create, update: the columns that may be
    written; None where that is not offered. archives: DELETE sets `archived_at`; the row stays. deletes:
    DELETE removes the row. found_by: the function that finds the rows in which `q` occurs, see
    :class:`Listing`. key: the columns that tell rows apart. named_by: the column by which a path names one
    row; a resource that has none cannot be read one by one. nullable: the sort keys that may be null.
    """

    path: str
    table: str
    noun: str
    plural: str
    row: type[Row]
    query: type[ListQuery]
    search: tuple[str, ...] = ()
    key: tuple[str, ...] = ("id",)
    create: type[Input] | None = None
    update: type[Input] | None = None
    archives: bool = False
    deletes: bool = False
    found_by: str | None = None
    one_by_one: bool = True
    named_by: str = "id"
    nullable: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read: the fields of the row model."""
        return tuple(self.row.model_fields)

    def operation(self, verb: str, plural: bool = False) -> str:
        """The operation id: `list_stock_levels`, `create_product`."""
        return f"{verb}_{(self.plural if plural else self.noun).replace(' ', '_')}"


@dataclass(frozen=True)
class Act:
    """A business act: one POST (or another method that writes) that is one function of the database, one
    transaction.

    path: beneath the router; a part in braces is an id. arguments: the function's argument names, each with
    the field of the request model, or the part of the path, that fills it (null when there is neither);
    written as a literal, because a test reads them here and holds them to the database. errors: the statuses
    it can answer besides those that every endpoint has. operation: the operation id, where it is not the
    function's name.
    """

    path: str
    rpc: str
    arguments: Mapping[str, str]
    request: type[Input]
    response: type[BaseModel]
    summary: str
    description: str
    errors: tuple[int, ...] = (400, 404, 409)
    status: int = 200
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    operation: str | None = None


@dataclass(frozen=True)
class Lookup:
    """A question: one GET that is one function of the database which changes nothing.

    path, arguments, errors, operation: as of an :class:`Act`, with a query model instead of a request.
    response: the answer; of a function that returns rows, one row: they come as `items`.
    """

    path: str
    rpc: str
    arguments: Mapping[str, str]
    response: type[Row]
    summary: str
    description: str
    query: type[Input] = Input
    rows: bool = False
    errors: tuple[int, ...] = (400, 404)
    operation: str | None = None


def room_router(prefix: str, tag: str) -> APIRouter:
    """A router for one room; reads numbers exactly, documents what every endpoint can answer."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=ExactRoute, responses=SIGNED_IN)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def annotate(endpoint: Callable[..., Any], **annotations: object) -> None:
    """Gives an endpoint the types of its resource, which are not known when the function is written."""
    endpoint.__annotations__.update(annotations)


def name_parts(endpoint: Callable[..., Any], path: str) -> None:
    """Makes the ids in a path parameters of the endpoint, in place of its `**path`."""
    signature = inspect.signature(endpoint)
    named = [
        parameter for parameter in signature.parameters.values() if parameter.kind != Parameter.VAR_KEYWORD
    ]
    named += [Parameter(name, Parameter.KEYWORD_ONLY, annotation=UUID) for name in _PART.findall(path)]
    endpoint.__signature__ = signature.replace(parameters=named)  # type: ignore[attr-defined]


def add_resource(router: APIRouter, resource: Resource) -> None:
    """Adds the endpoints of a resource: list, and read, create, update, archive where declared."""
    _add_list(router, resource)
    if resource.one_by_one:
        _add_read(router, resource)
    if resource.create is not None:
        _add_create(router, resource, resource.create)
    if resource.update is not None:
        _add_update(router, resource, resource.update)
    if resource.archives:
        _add_archive(router, resource)
    if resource.deletes:
        _add_delete(router, resource)


def _add_list(router: APIRouter, resource: Resource) -> None:
    listing = Listing(
        resource.table, resource.columns, resource.key, resource.search, resource.found_by, resource.nullable
    )

    async def list_rows(gateway: CallerGateway, query: Any) -> Response:
        return passed_on(await read_page(gateway, listing, query, {}))

    annotate(list_rows, query=Annotated[resource.query, Query()])
    searched = f" `q` searches {', '.join(resource.search)}." if resource.search else ""
    searched += " With `q`, `org_id` is needed." if resource.found_by else ""
    router.add_api_route(
        resource.path,
        list_rows,
        methods=["GET"],
        operation_id=resource.operation("list", plural=True),
        summary=f"List {resource.plural}",
        description=f"The {resource.plural} the caller may see, in all organisations.{searched}",
        response_model=Page[resource.row],  # type: ignore[name-defined]
        responses=problems(400, 404) if resource.found_by else problems(400),
    )


def _add_read(router: APIRouter, resource: Resource) -> None:
    async def read_row(gateway: CallerGateway, row_id: UUID) -> Response:
        request = gateway.rest.from_(resource.table).select(*resource.columns)
        request = _named(gateway, resource, request, row_id)
        return passed_on((await _send_one(gateway, request.request)).content)

    router.add_api_route(
        resource.path + "/{row_id}",
        read_row,
        methods=["GET"],
        operation_id=resource.operation("read"),
        summary=f"Read {_article(resource.noun)}",
        description=f"One {resource.noun}, by its `{resource.named_by}`; 404 when there is none or it is not "
        "the caller's to see.",
        response_model=resource.row,
        responses=problems(404),
    )


def _add_create(router: APIRouter, resource: Resource, model: type[Input]) -> None:
    async def create_row(gateway: CallerGateway, body: Any) -> Response:
        values = body.model_dump(exclude_unset=True)
        request = gateway.rest.from_(resource.table).insert(values).select(*resource.columns)
        answer = await _send_one(gateway, request.request)
        location = f"{router.prefix}{resource.path}/{answer.json()[resource.named_by]}"
        return passed_on(answer.content, 201, {"Location": location})

    annotate(create_row, body=Annotated[model, Body()])
    router.add_api_route(
        resource.path,
        create_row,
        methods=["POST"],
        status_code=201,
        operation_id=resource.operation("create"),
        summary=f"Create {_article(resource.noun)}",
        description=f"Sent again with the same `{resource.named_by}` it is 409 `duplicate`, so nothing is "
        "made twice.",
        response_model=resource.row,
        responses={201: {"headers": header("Location", "Where the record is read")}, **problems(400, 409)},
    )


def _add_update(router: APIRouter, resource: Resource, model: type[Input]) -> None:
    async def update_row(gateway: CallerGateway, row_id: UUID, body: Any) -> Response:
        values = body.model_dump(exclude_unset=True)
        if not values:
            raise Problem(422, "invalid_input", "Name at least one field to change.")
        return passed_on((await _patch(gateway, resource, row_id, values)).content)

    annotate(update_row, body=Annotated[model, Body()])
    router.add_api_route(
        resource.path + "/{row_id}",
        update_row,
        methods=["PATCH"],
        operation_id=resource.operation("update"),
        summary=f"Change {_article(resource.noun)}",
        description="Only the fields sent are changed.",
        response_model=resource.row,
        responses=problems(400, 404, 409),
    )


def _add_archive(router: APIRouter, resource: Resource) -> None:
    async def archive_row(gateway: CallerGateway, row_id: UUID) -> Response:
        return passed_on(
            (await _patch(gateway, resource, row_id, {"archived_at": datetime.now(UTC)})).content
        )

    router.add_api_route(
        resource.path + "/{row_id}",
        archive_row,
        methods=["DELETE"],
        operation_id=resource.operation("archive"),
        summary=f"Archive {_article(resource.noun)}",
        description="Sets `archived_at`; documents keep referring to it. A PATCH to null brings it back.",
        response_model=resource.row,
        responses=problems(404, 409),
    )


def _add_delete(router: APIRouter, resource: Resource) -> None:
    async def delete_row(gateway: CallerGateway, row_id: UUID) -> Response:
        request = _named(gateway, resource, gateway.rest.from_(resource.table).delete(), row_id)
        request = request.select(*resource.columns)
        return passed_on((await _send_one(gateway, request.request)).content)

    router.add_api_route(
        resource.path + "/{row_id}",
        delete_row,
        methods=["DELETE"],
        operation_id=resource.operation("delete"),
        summary=f"Remove {_article(resource.noun)}",
        description="Answers the row that is gone; what documents keep of it stays on them.",
        response_model=resource.row,
        responses=problems(404, 409),
    )


async def _patch(gateway: Gateway, resource: Resource, row_id: UUID, values: dict[str, Any]) -> Answer:
    request = _named(gateway, resource, gateway.rest.from_(resource.table).update(values), row_id)
    request = request.select(*resource.columns)
    return await _send_one(gateway, request.request)


def _named(gateway: Gateway, resource: Resource, request: Any, row_id: UUID) -> Any:
    """The one row that a path names: of the caller's organisation that X-Organization says, where it does."""
    request = request.eq(resource.named_by, str(row_id))
    if gateway.organization is not None and "org_id" in resource.columns:
        request = request.eq("org_id", gateway.organization)
    return request


async def _send_one(gateway: Gateway, request: RequestConfig[Any]) -> Answer:
    """Sends a request that must concern exactly one row; PostgREST answers PGRST116 when there is none (here
    404), and when several organisations of the caller's have one (here 409), and then changes none.
    """
    request.headers["Accept"] = SINGLE_OBJECT
    return await gateway.send(request)


def add_act(router: APIRouter, act: Act) -> None:
    """Adds the endpoint of a business act to a router."""

    async def perform(gateway: CallerGateway, body: Any, **path: UUID) -> Response:
        values = {**body.model_dump(exclude_none=True), **path}
        arguments = {argument: values.get(field) for argument, field in act.arguments.items()}
        return passed_on((await gateway.rpc(act.rpc, arguments)).content, act.status)

    annotate(perform, body=Annotated[act.request, Body()])
    name_parts(perform, act.path)
    router.add_api_route(
        act.path,
        perform,
        methods=[act.method],
        status_code=act.status,
        operation_id=act.operation or act.rpc,
        summary=act.summary,
        description=act.description,
        response_model=act.response,
        responses=problems(*act.errors),
    )


async def answer_of(gateway: Gateway, lookup: Lookup, query: Input, path: Mapping[str, UUID]) -> Answer:
    """Asks the database a question. path: the ids in the path; raises a :class:`Problem`."""
    values = {**query.model_dump(exclude_none=True), **path}
    arguments = {argument: values[field] for argument, field in lookup.arguments.items() if field in values}
    return await gateway.rpc(lookup.rpc, arguments)


def add_lookup(router: APIRouter, lookup: Lookup) -> None:
    """Adds the endpoint of a question to a router."""

    async def ask(gateway: CallerGateway, query: Any, **path: UUID) -> Response:
        content = (await answer_of(gateway, lookup, query, path)).content
        return passed_on(b'{"items":' + content + b"}" if lookup.rows else content)

    annotate(ask, query=Annotated[lookup.query, Query()])
    name_parts(ask, lookup.path)
    answer = Items[lookup.response] if lookup.rows else lookup.response  # type: ignore[name-defined]
    router.add_api_route(
        lookup.path,
        ask,
        methods=["GET"],
        operation_id=lookup.operation or lookup.rpc,
        summary=lookup.summary,
        description=lookup.description,
        response_model=answer,
        responses=problems(*lookup.errors),
    )
