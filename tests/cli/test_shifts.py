"""A till's shift in a terminal."""

from decimal import Decimal

from tests.cli.phones import CASE, PhoneShop


def test_a_till_from_float_to_difference(phones: PhoneShop) -> None:
    clerk, cashier, owner = phones.clerk, phones.cashier, phones.owner
    cashier.refused("shift_needed", "shifts", "report")
    opened = cashier.gives("shifts", "open", "--float", "2000")
    assert (opened["status"], opened["opening_float"]) == ("open", 2000)
    error = cashier.refused("shift_open", "shifts", "open")
    assert error["shift_id"] == opened["id"]

    sale = cashier.gives("sales", "new", CASE, "--pay", "cash", "--yes")
    cashier.gives("sales", "new", CASE, "--pay", "upi", "--yes")
    moved = cashier.gives("shifts", "cash-out", "500", "--reason", "To the bank")
    cashier.gives("shifts", "cash-in", "50", "--reason", "Coins")
    assert [one["amount"] for one in moved["cash_movements"]] == [500]
    cash = 2000 + sale["total"] - 500 + 50
    expected = {one["method"]: one["expected"] for one in cashier.gives("shifts", "report")["takings"]}
    assert expected == {"cash": cash, "upi": sale["total"]}
    assert "Counted" not in cashier.says("shifts", "report"), "nothing was counted yet"

    # Somebody else's till: not the clerk's to close without the permission to read reports; hers is.
    close = ["shifts", "close", "--counted", f"cash={cash - 10}", "--counted", f"upi={sale['total']}"]
    clerk.refused("shift_needed", *close, "--yes")
    cashier.refused("confirmation_needed", *close, status=2)
    cashier.refused("count_needed", "shifts", "close", "--yes", status=2)
    cashier.refused("invalid_input", "shifts", "close", "--counted", "beads=3", "--yes")
    closed = cashier.gives(*close, "--note", "Ten short", "--yes")
    assert (closed["status"], closed["difference"]) == ("closed", -10)
    cashier.refused("shift_needed", *close, "--yes")
    move = ["shifts", "cash-out", "1", "--reason", "x", "--shift", opened["id"]]
    cashier.refused("invalid_transition", *move)

    (row,) = [row for row in owner.gives("reports", "cash-up")["items"] if row["id"] == opened["id"]]
    assert (row["cash_expected"], row["cash_counted"], row["cash_difference"]) == (cash, cash - 10, -10)
    assert (row["opening_float"], row["difference"]) == (Decimal(2000), -10)
    assert opened["id"] in [row["id"] for row in cashier.gives("shifts", "list")["items"]]
    assert "-10.00" in cashier.says("shifts", "report", opened["id"])
    owner.refused("not_found", "shifts", "report", phones.org_id.hex)
