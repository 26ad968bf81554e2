"""Quotations, orders, a delivery and a draft invoice for the tests' world, each as far as tests need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.support.personas import Persona, new_id

if TYPE_CHECKING:
    from tests.support.world import Branch


def write_papers(
    admin: Persona, branch: Branch, customer: UUID, variants: tuple[UUID, UUID], stocked: bool
) -> dict[str, UUID]:
    """Write them as the administrator; nothing of the showroom stays held.

    Parameters:
        variants: goods of the showroom that the warehouse has none of; and what is delivered: a service, or
            goods (`stocked`) of which one more comes in.

    Returns:
        Their ids: `quotation:draft`, `quotation:sent`, `quotation:approved`, `order:draft`, `order:confirmed`
        (a back-order that holds nothing, all paid in advance, as is the draft), `order:delivered`,
        `delivery` and `invoice:draft`.
    """
    made: dict[str, UUID] = {}
    goods, moving = variants

    def act(name: str, **arguments: Any) -> Any:
        return admin.rpc(name, p_id=new_id(), **arguments)

    def write(name: str, act_name: str, variant: UUID = goods, **key: UUID | None) -> dict[str, Any]:
        lines = [{"variant_id": variant, "quantity": 1}]
        document: dict[str, Any] = act(
            act_name, p_branch_id=branch.id, p_customer_id=customer, p_lines=lines, **key
        )
        made[name] = UUID(document["id"])
        return document

    for status, steps in (
        ("draft", ()),
        ("sent", ("send_quotation",)),
        ("approved", ("send_quotation", "approve_quotation")),
    ):
        write(f"quotation:{status}", "save_quotation", p_quotation_id=None)
        for step in steps:
            act(step, p_quotation_id=made[f"quotation:{status}"])
    write("quotation:draft", "save_quotation", p_quotation_id=made["quotation:draft"])

    if stocked:
        act(
            "adjust_stock",
            p_location_id=branch.showroom,
            p_variant_id=moving,
            p_quantity=1,
            p_reason="found",
            p_unit_cost=40,
        )
    for status, variant, options in (
        ("draft", goods, None),
        ("confirmed", goods, {"location_id": branch.warehouse, "back_order": True}),
        ("delivered", moving, {"location_id": branch.showroom}),
    ):
        order = write(f"order:{status}", "save_order", variant, p_order_id=None)
        act(
            "record_payment",
            p_customer_id=customer,
            p_amount=order["total"],
            p_method="cash",
            p_options={"branch_id": branch.id, "order_id": order["id"]},
        )
        if options:
            act("confirm_order", p_order_id=order["id"], p_options=options)
    act("log_work", p_order_id=made["order:delivered"], p_note="Packed")
    note = act("deliver_order", p_order_id=made["order:delivered"], p_location_id=branch.showroom)
    made["delivery"] = UUID(note["id"])
    draft = act(
        "create_invoice",
        p_branch_id=branch.id,
        p_customer_id=customer,
        p_lines=[{"variant_id": goods, "quantity": 1}],
        p_options={"draft": True, "location_id": branch.showroom},
    )
    made["invoice:draft"] = UUID(draft["id"])
    return {f"{name}@{branch.code}": paper for name, paper in made.items()}
