"""What staff do at the desk and at the till, by HTTP: each form sent twice is done once."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.dr import CompensationAllocated, Share
from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from tests.gridstay.web.conftest import CAR, Browser, House
from tests.gridstay.web.test_guest_pages import hidden
from tests.gridstay.web.test_pages import booked

pytestmark = pytest.mark.acceptance
ITEMS = [{"id": "soap", "name": "Soap", "threshold_minor": 300}]
TILL = "/staff/salon/till"


async def staff_of(house: House, **headers: str) -> Browser:
    staff = house.browser(**headers)
    await staff.send("/staff/sign-in", {"operator_token": house.system.operator_token}, page="/staff/sign-in")
    return staff


async def twice(browser: Browser, action: str, **fields: str) -> httpx.Response:
    """Send the page's form twice at once, as a second tap on a slow line does: both get the same answer."""
    data = {**hidden(browser, action), **fields}
    first, again = await asyncio.gather(*(browser.http.post(action, data=data) for _ in range(2)))
    assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
    later = await browser.http.post(action, data=data)
    assert later.headers["location"] == first.headers["location"]
    return first


async def receipts(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.api.get("/register/receipts", params={"facility_id": "salon"})).json()
    return found


async def earned(house: House, kind: str, amount_minor: int, **policy: Any) -> dict[str, Any]:
    """Hanako, a member, has been given so much of that kind for her car's help."""
    guest = house.browser()
    await guest.join(**CAR)
    (member,) = (await house.api.get("/members")).json()
    body = {"kind": kind, "pending_until_final": False, **policy}
    (await house.api.put("/facilities/salon/benefits", json=body)).raise_for_status()
    stay = (await booked(guest, 3)).headers["location"].split("?")[0].split("/")[-1]
    share = Share(
        booking_id=BookingId(stay),
        member_id=MemberId(member["id"]),
        session_id=SessionId("session"),
        delivered_wh=1_000,
        amount_minor=amount_minor,
    )
    await house.system.bus.publish(
        CompensationAllocated(
            at=datetime.now(UTC),
            statement_id=f"st-{kind}",
            revision=0,
            event_id=DrEventId("event"),
            facility_id=FacilityId("salon"),
            currency="JPY",
            total_minor=amount_minor,
            undistributed_minor=0,
            shares=(share,),
        )
    )
    return dict(member)


async def test_POS_a_payment_sent_twice_is_taken_once_and_refunded_in_parts(house: House) -> None:
    staff = await staff_of(house)
    await staff.get(TILL, params={"amount": "3000"})
    assert "To pay ¥3,000" in staff.text
    paid = await twice(staff, f"{TILL}/pay", method="card")
    (payment,) = await receipts(house)
    assert (payment["gross_minor"], payment["method"]) == (3_000, "card")
    await staff.get(paid.headers["location"])
    assert "Receipt no. 1" in staff.text
    await twice(staff, f"{TILL}/refund", amount="1000")
    await staff.get(TILL)
    await twice(staff, f"{TILL}/refund", amount="500")
    assert [one["gross_minor"] for one in await receipts(house)] == [3_000, -1_000, -500]
    await staff.get(TILL)
    too_much = await staff.send(f"{TILL}/refund", {**hidden(staff, f"{TILL}/refund"), "amount": "2000"})
    assert too_much.status_code == 409
    assert "At most ¥1,500 of it can be refunded." in staff.text
    await twice(staff, f"{TILL}/refund")
    assert sum(one["due_minor"] for one in await receipts(house)) == 0
    await staff.get(TILL)
    nothing = await staff.send(f"{TILL}/refund", hidden(staff, f"{TILL}/refund"))
    assert nothing.status_code == 409
    assert "That is refunded already." in staff.text


async def test_POS_S502_a_gift_is_handed_over_with_a_payment_and_stock_is_counted(house: House) -> None:
    member = await earned(house, "item", 700, items=ITEMS)
    staff = await staff_of(house)
    await staff.get(TILL, params={"member": member["number"], "amount": "100"})
    assert "item-soap" not in staff.seen  # none is there
    await twice(staff, f"{TILL}/stock", item_id="soap", count="2")
    await staff.get(TILL, params={"member": member["number"], "amount": "0", "item-soap": "1"})
    assert "2 at hand" in staff.text
    given = await twice(staff, f"{TILL}/pay", method="cash")
    await staff.get(given.headers["location"])
    assert "Towards a gift Soap" in staff.text
    (stock,) = (await house.api.get("/register/stock", params={"facility_id": "salon"})).json()
    assert stock["at_hand"] == 1
    await staff.get(TILL)
    gone = await staff.send(f"{TILL}/stock", {**hidden(staff, f"{TILL}/stock"), "item_id": "soap", "count": "-5"})
    assert gone.status_code == 409
    assert "out of stock: 1 left" in staff.text
    odd = await staff.send(f"{TILL}/stock", {**hidden(staff, f"{TILL}/stock"), "item_id": "soap", "count": "many"})
    assert odd.status_code == 422
    assert (await staff.send(f"{TILL}/explode", {}, page=TILL)).status_code == 404


async def test_POS_S502_a_cash_benefit_is_paid_out_once(house: House) -> None:
    member = await earned(house, "cash", 700)
    staff = await staff_of(house)
    await staff.get(TILL, params={"member": member["number"]})
    assert "Cash to pay out (of ¥700)" in staff.text
    done = await twice(staff, f"{TILL}/pay-out", payout="400")
    await staff.get(done.headers["location"])
    assert "Pay-out" in staff.text
    assert [one["due_minor"] for one in await receipts(house)] == [-400]
    await staff.get(TILL, params={"member": member["number"]})
    fields = hidden(staff, f"{TILL}/pay-out")
    for amount, status in (("900", 409), ("-1", 422), ("lots", 422), ("", 422)):
        answer = await staff.send(f"{TILL}/pay-out", {**fields, "key": f"k{amount}", "payout": amount})
        assert answer.status_code == status, amount
    assert len(await receipts(house)) == 1


async def test_POS_the_days_journal_is_shown_and_taken_away_as_csv_and_the_day_closed_once(house: House) -> None:
    staff = await staff_of(house)
    await staff.get(TILL, params={"amount": "1200"})
    await twice(staff, f"{TILL}/pay", method="cash")
    await staff.get(TILL)
    await twice(staff, f"{TILL}/refund", amount="200")
    await staff.get(TILL)
    await twice(staff, f"{TILL}/close", counted="990")
    await staff.get(f"{TILL}/journal")
    assert "of no. 1" in staff.text
    assert "-¥10" in staff.text
    assert staff.text.count("¥1,000") >= 2
    link = re.search(rf'href="({TILL}/journal\.csv\?day=[\d-]+)"', staff.seen)
    assert link
    journal = await staff.get(link[1])
    assert journal.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(journal.text.splitlines()) == 3
    await staff.get(TILL)
    again = await staff.send(f"{TILL}/close", {**hidden(staff, f"{TILL}/close"), "counted": ""})
    assert again.status_code == 409
    assert "The day is closed, and nothing came since." in staff.text
    for odd in ("nonsense", "1999-01-01", "9999-01-01"):
        assert (await staff.get(f"{TILL}/journal", params={"day": odd})).status_code == 200
    assert "Nothing was paid on this day." in (await staff.get(f"{TILL}/journal?day=2020-01-01")).text
    for path in (f"{TILL}/journal", f"{TILL}/journal.csv"):
        assert (await house.browser().get(path)).status_code == 303


async def test_POS_every_refusal_at_the_till_is_japanese_on_a_japanese_page(house: House) -> None:
    staff = await staff_of(house, **{"Accept-Language": "ja"})
    for query in ({"amount": "many"}, {"amount": "0"}, {"amount": "100", "points": "5"}, {"amount": "5", "member": "no"}):
        answer = await staff.get(TILL, params=query)
        alert = re.search(r'role="alert"><p>([^<]*)</p>', answer.text)
        assert alert, query
        assert not re.search(r"[a-z]{3,}", alert[1]), alert[1]


async def test_staff_check_in_by_code_or_plate_and_see_who_waits_and_who_did_not_come(house: House) -> None:
    guest, other = house.browser(), house.browser()
    await guest.join()
    await other.join(name="Taro", phone="090 3333 4444")
    (hanako, taro) = sorted((await house.api.get("/members")).json(), key=lambda one: one["name"])
    await house.api.patch(f"/members/{taro['id']}", json={"plates": ["品川 300 あ 12-34"]})
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    half = now - timedelta(minutes=now.minute % 30)
    rules = {"lead_min": 0, "check_in_min": 60}
    facility = (await house.api.get("/facilities/salon")).json()
    two = [{"id": f"chair-{number}", "name": f"Chair {number}"} for number in (1, 2)]
    body = facility | {"resources": two, "rules": facility["rules"] | rules}
    changed = await house.api.put("/facilities/salon", json=body)
    assert changed.status_code == 200, changed.text
    stays = {}
    for member in (hanako, taro):
        start = (half + timedelta(minutes=30)).isoformat()
        asked = {"facility_id": "salon", "member": member["id"], "service_id": "cut", "start": start}
        made = await house.api.post("/bookings", json=asked)
        assert made.status_code == 201, made.text
        stays[member["name"]] = made.json()
    waits = {"facility_id": "salon", "member": hanako["id"], "service_id": "cut", "start": start, "minutes": 60}
    waits |= {"end": (half + timedelta(minutes=90)).isoformat()}
    wish = await house.api.post("/waiting", json=waits)
    assert wish.status_code == 201, wish.text
    staff = await staff_of(house)
    await staff.get("/staff/salon", params={"day": (half + timedelta(hours=9, minutes=30)).date().isoformat()})
    assert "Waiting list Hanako" in staff.text
    await staff.get("/staff/salon")
    nobody = await staff.send("/staff/salon/check-in", {"shown": "ZZZZZZ"}, page="/staff/salon")
    assert nobody.status_code == 404
    assert "Nobody with that is expected now." in staff.text
    code = stays["Hanako"]["code"].lower()
    came = await staff.send("/staff/salon/check-in", {"shown": f" {code[:3]} {code[3:]} "}, page="/staff/salon")
    assert came.headers["location"] == "/staff/salon?done=check-in"
    await staff.send("/staff/salon/check-in", {"shown": "品川300あ12-34"}, page="/staff/salon")
    states = {one["member_id"]: one["state"] for one in (await house.api.get("/bookings")).json()}
    assert set(states.values()) == {"checked_in"}
    assert (await staff.send("/staff/salon/check-in", {"shown": ""}, page="/staff/salon")).status_code in (404, 422)
