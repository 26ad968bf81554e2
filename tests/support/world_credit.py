"""What the world owes: instalments of every state that a test of permissions must see."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.support.personas import Persona, new_id


def on_credit(
    admin: Persona, branch: UUID, showroom: UUID, variant: UUID, customer: UUID, *, stocked: bool
) -> tuple[UUID, UUID]:
    """Two sales to a customer with credit, who owes them: one by three instalments, a fee partly paid.

    Goods are put on the shelf before, so that it is as it was.

    Returns:
        The agreement's id, and that of the invoice that nothing was agreed on.
    """
    if stocked:
        admin.rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=showroom,
            p_variant_id=variant,
            p_quantity=2,
            p_reason="opening",
            p_unit_cost=Decimal("40"),
        )
    invoice, owed, agreement = new_id(), new_id(), new_id()
    for made in (invoice, owed):
        admin.rpc(
            "post_sale",
            p_id=made,
            p_branch_id=branch,
            p_location_id=showroom,
            p_customer_id=customer,
            p_lines=[{"variant_id": variant, "quantity": 1}],
            p_payments=[],
        )
    terms = {
        "count": 3,
        "first_due_on": datetime.now(UTC).date() + timedelta(days=2),
        "fees": [{"name": "Processing", "amount": 6}],
        "late_fee": 2,
    }
    admin.rpc("open_credit_sale", p_id=agreement, p_invoice_id=invoice, p_terms=terms)
    admin.rpc("pay_agreement", p_id=new_id(), p_agreement_id=agreement, p_amount=5, p_method="cash")
    return agreement, owed
