"""Money of the test world beyond sales: payments held or bounced, credit notes that paid or were refunded."""

from uuid import UUID

from tests.support.personas import Persona, new_id


def settle(
    admin: Persona, branch: UUID, showroom: UUID, variant: UUID, customer: UUID
) -> tuple[UUID, UUID, UUID]:
    """Fill every table of payments and credit notes; the shelf is as it was before.

    Returns:
        A payment that is held for the customer, a credit note that was used up, and a payment that settles an
        invoice.
    """
    for bounced in (True, False):
        held = new_id()
        admin.rpc(
            "record_payment",
            p_id=held,
            p_customer_id=customer,
            p_amount=10,
            p_method="cheque",
            p_options={"branch_id": branch, "hold": True},
        )
        if bounced:
            admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=held, p_reason="Bounced")
    credit, paid = new_id(), []
    for note, paid_by in ((credit, None), (new_id(), credit)):
        invoice = new_id()
        sale = {
            "p_branch_id": branch,
            "p_customer_id": customer,
            "p_lines": [{"variant_id": variant, "quantity": 1}],
        }
        total = admin.rpc("quote_sale", **sale)["total"]
        sold = admin.rpc(
            "post_sale",
            **sale,
            p_id=invoice,
            p_location_id=showroom,
            p_payments=[] if paid_by else [{"method": "card", "amount": total}],
            p_options={"credit_note_id": paid_by} if paid_by else {},
        )
        paid += [UUID(payment["id"]) for payment in sold["payments"]]
        admin.rpc(
            "issue_credit_note",
            p_id=note,
            p_invoice_id=invoice,
            p_lines=None,
            p_reason="Changed his mind",
            p_options={"refund": {"method": "card"}} if paid_by else {},
        )
    return held, credit, paid[0]
