"""What the reports are asked for, and the functions of the database that give their rows."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from cli.desk import Desk
from cli.output import Output, Row


@dataclass(frozen=True)
class Query:
    """What a report is asked for; what is left out is as usual: all branches, now, this month."""

    branch: str | None = None
    as_of: datetime | None = None
    until: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    by: str = "day"
    limit: int = 20


@dataclass(frozen=True)
class Asked:
    """A query at somebody's desk, and where its progress is told."""

    desk: Desk
    output: Output
    query: Query

    @property
    def branch_id(self) -> str | None:
        """The branch that was named, None for all of the caller's."""
        return self.desk.branch_id(self.query.branch)

    @cached_property
    def period(self) -> tuple[date, date]:
        """The first and the last day: left out, this month until today, as the branch has it."""
        query = self.query
        end = query.last.date() if query.last is not None else self.desk.today(self.branch_id)
        return query.first.date() if query.first is not None else end.replace(day=1), end


def outstanding(asked: Asked) -> list[Row]:
    """What customers owe."""
    day = asked.query.as_of
    rows: list[Row] = asked.desk.rpc(
        "outstanding",
        {
            "p_org_id": asked.desk.org_id,
            "p_branch_id": asked.branch_id,
            "p_as_of": None if day is None else day.date(),
        },
    )
    return rows


def ageing(asked: Asked) -> list[Row]:
    """What customers owe, by its age."""
    day = asked.query.as_of
    rows: list[Row] = asked.desk.rpc(
        "ageing",
        {
            "p_org_id": asked.desk.org_id,
            "p_branch_id": asked.branch_id,
            "p_as_of": None if day is None else day.date(),
        },
    )
    return rows


def due(asked: Asked) -> list[Row]:
    """The instalments to be collected."""
    day = asked.query.until
    rows: list[Row] = asked.desk.rpc(
        "instalments_due",
        {
            "p_org_id": asked.desk.org_id,
            "p_branch_id": asked.branch_id,
            "p_until": None if day is None else day.date(),
        },
    )
    return rows


def overdue(asked: Asked) -> list[Row]:
    """The instalments that are late."""
    rows: list[Row] = asked.desk.rpc(
        "instalments_overdue", {"p_org_id": asked.desk.org_id, "p_branch_id": asked.branch_id}
    )
    return rows


def sellers(asked: Asked) -> list[Row]:
    """What sold best."""
    begin, end = asked.period
    rows: list[Row] = asked.desk.rpc(
        "top_sellers",
        {
            "p_org_id": asked.desk.org_id,
            "p_from": begin,
            "p_to": end,
            "p_by": asked.query.by,
            "p_limit": asked.query.limit,
            "p_branch_id": asked.branch_id,
        },
    )
    return rows


def revenue(asked: Asked) -> list[Row]:
    """What came in."""
    begin, end = asked.period
    rows: list[Row] = asked.desk.rpc(
        "revenue",
        {
            "p_org_id": asked.desk.org_id,
            "p_from": begin,
            "p_to": end,
            "p_by": asked.query.by,
            "p_branch_id": asked.branch_id,
        },
    )
    return rows


def sales(asked: Asked) -> list[Row]:
    """What was invoiced."""
    begin, end = asked.period
    rows: list[Row] = asked.desk.rpc(
        "sales_summary",
        {
            "p_org_id": asked.desk.org_id,
            "p_from": begin,
            "p_to": end,
            "p_by": asked.query.by,
            "p_branch_id": asked.branch_id,
        },
    )
    return rows


def cash_up(asked: Asked) -> list[Row]:
    """The latest shifts, each with its takings; whose till it was only the report of each tells."""
    desk = asked.desk
    request = desk.table("till_shifts").select("id").eq("org_id", desk.org_id)
    request = request if asked.branch_id is None else request.eq("branch_id", asked.branch_id)
    found = desk.read(request.order("opened_at", desc=True).order("id").limit(asked.query.limit))
    rows: list[Row] = []
    with asked.output.progress("Shifts") as tell:
        for row in found:
            shift = desk.rpc("shift_report", {"p_shift_id": row["id"]})
            cash: Row = next((one for one in shift["takings"] or [] if one["method"] == "cash"), {})
            sums = {f"cash_{name}": cash.get(name) for name in ("expected", "counted", "difference")}
            rows.append({**shift, **sums, "branch_code": shift["branch"]["code"]})
            tell(len(rows), len(found))
    return rows


def low_stock(asked: Asked) -> list[Row]:
    """What is at its reorder point or below, branch by branch."""
    desk = asked.desk
    branches = [desk.branch(asked.query.branch)] if asked.query.branch else desk.org["branches"]
    rows: list[Row] = []
    with asked.output.progress("Branches") as tell:
        for number, branch in enumerate(branches, start=1):
            found = desk.rpc("reorder_suggestions", {"p_branch_id": branch["id"]})
            places = desk.by_id("locations", ["code"], {row["location_id"] for row in found})
            for row in found:
                place = places.get(row["location_id"], {}).get("code")
                rows.append({**row, "branch": branch["code"], "location": place})
            tell(number, len(branches))
    return rows
