"""The rows of the permission table for billing: see `matrix.py`."""

from tests.database.matrix_kinds import Act, Table

BILLING_ACTS: dict[str, Act] = {}

BILLING_TABLES: dict[str, Table] = {}
