"""The answer of every list."""

from typing import Generic, TypeVar

from pydantic import Field

from backend.app.schemas.base import Row

RowT = TypeVar("RowT", bound=Row)


class Items(Row, Generic[RowT]):
    """All rows of an answer that has no pages."""

    items: list[RowT]


class Page(Row, Generic[RowT]):
    """One page of a list."""

    items: list[RowT]
    total: int | None = Field(description="All rows that fit the filters; null when they were not counted")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one")
