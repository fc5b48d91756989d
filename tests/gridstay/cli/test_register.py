"""`gridstay register` and `gridstay benefit` against a fake service."""

from pathlib import Path
from typing import Any

from tests.gridstay.cli.conftest import FakeService

DISCOUNT = {"kind": "points", "amount": 500, "value_minor": 500, "item": "", "parts": []}
RECEIPT: dict[str, Any] = {
    "id": "r1",
    "number": 7,
    "facility_id": "salon",
    "deed": "payment",
    "day": "2026-06-03",
    "at": "2026-06-03T06:00:00Z",
    "currency": "JPY",
    "method": "card",
    "gross_minor": 8_800,
    "due_minor": 8_300,
    "earned": 83,
    "discounts": [DISCOUNT],
    "member_id": "m1",
    "booking_id": None,
    "refund_of": None,
    "note": "",
    "closing_id": None,
}
TOTALS: dict[str, Any] = {
    "receipts": 1,
    "gross_minor": 8_800,
    "due_minor": 8_300,
    "by_method": {"card": 8_300},
    "by_deed": {"payment": 1},
    "off_by_kind": {"points": 500},
    "earned": 83,
}
CLOSING: dict[str, Any] = {
    "id": "c1",
    "facility_id": "salon",
    "day": "2026-06-03",
    "number": 1,
    "at": "2026-06-03T12:00:00Z",
    "currency": "JPY",
    "totals": TOTALS,
    "counted_cash_minor": 980,
    "difference_minor": -20,
}


def test_POS_pay(service: FakeService) -> None:
    service.answers_with("POST", "/api/register/payments", RECEIPT, 201)
    arguments = ("register", "pay", "--facility", "salon", "--amount", "8800", "--member", "1001", "--points", "500")
    assert service.json(*arguments, "--method", "card", "--item", "soap", "--key", "k") == RECEIPT
    assert service.last.body == {
        "facility_id": "salon",
        "amount_minor": 8_800,
        "method": "card",
        "member": "1001",
        "booking_id": None,
        "redeem": {"points": 500, "amount_off_minor": 0, "cash_minor": 0, "rate_off": None, "items": ["soap"]},
    }
    shown = service.run(*arguments).stdout
    for words in ("8,800 JPY", "-500 JPY (points 500 points)", "8,300 JPY card", "83"):
        assert words in shown


def test_POS_quote(service: FakeService) -> None:
    service.answers_with("GET", "/api/facilities/salon", {"currency": "JPY"})
    bill = {name: RECEIPT[name] for name in ("gross_minor", "due_minor", "earned", "discounts")}
    service.answers_with("POST", "/api/register/quotes", bill)
    assert "quote" in service.run("register", "pay", "--facility", "salon", "--amount", "8800", "--quote").stdout


def test_POS_refund(service: FakeService) -> None:
    service.answers_with("POST", "/api/register/refunds", RECEIPT | {"deed": "refund"}, 201)
    assert "refund" in service.run("register", "refund", "r1", "--amount", "100", "--method", "cash").stdout
    assert service.last.body == {"receipt_id": "r1", "amount_minor": 100, "method": "cash"}


def test_POS_day_and_close(service: FakeService) -> None:
    day = {"facility_id": "salon", "day": "2026-06-03", "currency": "JPY", "totals": TOTALS, "unclosed": TOTALS}
    service.answers_with("GET", "/api/register/days/salon/today", day | {"closings": [CLOSING]})
    shown = service.run("register", "day", "--facility", "salon").stdout
    for words in ("by card", "off by points", "Not closed", "Closing 1", "-20 JPY"):
        assert words in shown
    service.answers_with("POST", "/api/register/closings", CLOSING, 201)
    assert "980 JPY" in service.run("register", "close", "--facility", "salon", "--counted", "980").stdout
    assert service.last.body == {"facility_id": "salon", "day": None, "counted_cash_minor": 980}
    refused = service.run("register", "close", "--facility", "salon", "--day", "yesterday")
    assert (refused.exit_code, "is no day" in refused.stderr) == (2, True)


def test_POS_journal(service: FakeService, tmp_path: Path) -> None:
    service.answers_with("GET", "/api/register/journal", "day,number\r\n2026-06-03,1\r\n")
    arguments = ("register", "journal", "--facility", "salon", "--day", "2026-06-03")
    assert service.run(*arguments).stdout == "day,number\n2026-06-03,1\n"
    assert service.last.query == {"facility_id": "salon", "day": "2026-06-03"}
    assert service.run(*arguments, "--to", str(tmp_path / "j.csv")).exit_code == 0
    assert (tmp_path / "j.csv").read_bytes() == b"day,number\r\n2026-06-03,1\r\n"
    assert service.run(*arguments, "--to", str(tmp_path)).exit_code == 1
    service.answers_with("GET", "/api/register/journal", {"detail": "no facility 'salon'"}, 404)
    assert "no facility" in service.run(*arguments).stderr


def test_POS_receipts(service: FakeService) -> None:
    service.answers_with("GET", "/api/register/receipts", [RECEIPT])
    assert service.json("register", "receipts", "--member", "1001") == [RECEIPT]
    assert service.last.query == {"member": "1001", "limit": "100"}
    assert "8,300 JPY" in service.run("register", "receipts").stdout


def test_S502_policy(service: FakeService) -> None:
    policy = {"kind": "cash", "pending_until_final": True, "expires_days": 90, "rate": None, "items": []}
    service.answers_with("GET", "/api/facilities/salon/benefits", policy)
    assert service.json("benefit", "policy", "salon") == policy
    service.answers_with("PUT", "/api/facilities/salon/benefits", policy)
    assert "cash" in service.run("benefit", "policy", "salon", "--set", '{"kind": "cash"}').stdout
    assert service.last.body == {"kind": "cash"}


def test_S504_wallet(service: FakeService) -> None:
    source = {"statement_id": "st1", "event_id": "e1", "receipt_id": None, "booking_id": "b1"}
    at = "2026-06-03T06:00:00Z"
    common = {"facility_id": "salon", "kind": "rate_off", "unit": "bp", "available": 550, "pending": 0}
    wallet = {
        "member_id": "m1",
        "balances": [common | {"owed": 0, "expiring_next": {"amount": 550, "at": at}}],
        "benefits": [common | {"id": "g1", "made_at": at, "expires_at": at, "cap_minor": 900, "source": source}],
        "history": [common | {"at": at, "what": "given", "owed": 0, "source": source}],
    }
    service.answers_with("GET", "/api/members/1001/wallet", wallet)
    assert service.json("benefit", "wallet", "1001") == wallet
    shown = service.run("benefit", "wallet", "1001").stdout
    for words in ("5.5 %", "2026-06-03 06:00", "event e1, statement st1, booking b1", "given"):
        assert words in shown
    empty: dict[str, Any] = {"member_id": "m1", "balances": [], "benefits": [], "history": []}
    service.answers_with("GET", "/api/members/1001/wallet", empty)
    assert "There is nothing in the wallet." in service.run("benefit", "wallet", "1001").stdout
