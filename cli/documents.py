"""Documents with lines, as a terminal shows them: quotes, quotations, orders, delivery notes, invoices."""

from cli.output import Column, Output, Row, amount_column, quantity_column

_HEAD = (
    Column("#", "line_no", right=True),
    Column("SKU", "sku"),
    Column("Description", "description", extra=1),
    quantity_column("Quantity", "quantity"),
    Column("Unit", "unit", extra=7),
)
_LINES = (
    *_HEAD,
    amount_column("Price", "unit_price", extra=3),
    amount_column("Discount", "discount", extra=6),
    amount_column("Taxable", "taxable", extra=5),
    amount_column("Tax", "tax", extra=4),
    amount_column("Total", "total"),
)
_ORDERED = (
    *_HEAD,
    quantity_column("Delivered", "delivered"),
    quantity_column("Open", "open"),
    quantity_column("Held", "reserved", extra=2),
    amount_column("Total", "total"),
)
_PAYMENTS = (
    Column("Method", "method_name"),
    amount_column("Amount", "amount"),
    amount_column("Change", "change", extra=1),
    Column("Reference", "reference", extra=2),
    Column("Payment", "id", extra=3),
)
_MADE = (Column("Number", "number"), Column("Date", "date"))
_INVOICED = (
    *_MADE,
    Column("Status", "status"),
    amount_column("Total", "total"),
    amount_column("Balance", "balance"),
)
_WORK = (Column("Date", "worked_on"), Column("Work", "note"))


def _place(ship_to: Row) -> str:
    """Who receives the goods, and where, on one line; empty where they are brought nowhere else."""
    address = ship_to.get("address") or {}
    keys = ("line1", "line2", "city", "postal_code", "region_name", "country")
    parts = [ship_to.get("name"), *(address.get(key) for key in keys), ship_to.get("phone")]
    return ", ".join(str(part) for part in parts if part)


def show_document(output: Output, title: str, document: Row, columns: tuple[Column, ...] = _LINES) -> None:
    """A quote or an issued document: head, lines, sums, payments."""
    currency = document["currency"]
    buyer = document.get("buyer") or {}
    ship_to = document.get("ship_to") or {}
    output.facts(
        title,
        [
            ("Status", document.get("status")),
            ("Date", document["business_date"]),
            ("Due", document.get("due_date")),
            ("Valid until", document.get("valid_until")),
            ("Customer", buyer.get("name")),
            ("Deliver to", _place(ship_to)),
            ("Reason", document.get("reason")),
            ("Note", document.get("note")),
            ("Id", document.get("id")),
        ],
    )
    output.table("Lines", columns, document["lines"], currency)
    sums = [
        ("Document discount", "document_discount"),
        ("Taxable", "subtotal"),
        ("Tax", "tax"),
        ("Round-off", "round_off"),
        ("Total", "total"),
    ]
    sums += [("Paid", "paid"), ("Credited", "credited"), ("Balance", "balance"), ("Change", "change_due")]
    sums += [("Advances", "advances")]
    always = ("subtotal", "tax", "total", "balance")
    output.sums(
        "Sums",
        [
            (name, document[field])
            for name, field in sums
            if field in document and (document[field] or field in always)
        ],
        currency,
    )
    if document.get("payments"):
        output.table("Payments", _PAYMENTS, document["payments"], currency)


def show_titled(output: Output, document: Row) -> None:
    """The answer of a command that makes or shows one document."""
    if output.json:
        output.data(document)
        return
    show_document(output, f"{document['title']} {document['number'] or '(draft)'}", document)


def show_order(output: Output, order: Row) -> None:
    """An order, with how far it has come."""
    if output.json:
        output.data(order)
        return
    show_document(output, f"Order {order['number'] or '(draft)'}", order, _ORDERED)
    if order["deliveries"]:
        output.table("Deliveries", _MADE, order["deliveries"])
    if order["invoices"]:
        output.table("Invoices", _INVOICED, order["invoices"], order["currency"])
    if order["work_log"]:
        output.table("Work", _WORK, order["work_log"])
