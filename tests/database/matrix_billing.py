"""The rows of the permission table for billing: see `matrix.py`."""

from tests.database.matrix_kinds import Act, Place, Table



def _september(place: Place) -> dict[str, object]:
    """The arguments of a register of one registration."""
    return {
        "p_org_id": place.house.id,
        "p_from": "2026-09-01",
        "p_to": "2026-09-30",
        "p_branch_id": place.branch.id,
    }


BILLING_ACTS: dict[str, Act] = {
    "gstr1": Act("report.read", "branch", _september),
    "vat_return": Act("report.read", "branch", _september),
}

BILLING_TABLES: dict[str, Table] = {
    "tax_thresholds": Table("anyone", None),
}
