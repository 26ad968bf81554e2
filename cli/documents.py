"""Documents with lines, as a terminal shows them: quotes, invoices, credit notes."""

from cli.output import Column, Output, Row, amount_column, money, quantity_column

_LINES = (
    Column("#", "line_no", right=True),
    Column("SKU", "sku"),
    Column("Description", "description"),
    quantity_column("Quantity", "quantity"),
    Column("Unit", "unit"),
    amount_column("Price", "unit_price"),
    amount_column("Discount", "discount"),
    amount_column("Taxable", "taxable"),
    amount_column("Tax", "tax"),
    amount_column("Total", "total"),
)
_PAYMENTS = (
    Column("Method", "method_name"),
    amount_column("Amount", "amount"),
    amount_column("Change", "change"),
    Column("Reference", "reference"),
    Column("Payment", "id"),
)


def show_document(output: Output, title: str, document: Row) -> None:
    """A quote or an issued document: head, lines, sums, payments."""
    currency = document["currency"]
    buyer = document.get("buyer") or {}
    output.facts(
        title,
        [
            ("Status", document.get("status")),
            ("Date", document["business_date"]),
            ("Due", document.get("due_date")),
            ("Customer", buyer.get("name")),
            ("Reason", document.get("reason")),
            ("Note", document.get("note")),
        ],
    )
    output.table("Lines", _LINES, document["lines"])
    sums = [("Taxable", "subtotal"), ("Tax", "tax"), ("Round-off", "round_off"), ("Total", "total")]
    sums += [("Paid", "paid"), ("Credited", "credited"), ("Balance", "balance"), ("Change", "change_due")]
    always = ("subtotal", "tax", "total", "balance")
    output.facts(
        "Sums",
        [
            (name, f"{money(document[field])} {currency}")
            for name, field in sums
            if field in document and (document[field] or field in always)
        ],
    )
    if document.get("payments"):
        output.table("Payments", _PAYMENTS, document["payments"])
