"""The pages by HTTP: who may see what, what forms must bring, what is refused and how."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from contracts.dr import Direction, IncentiveWindow, IncentiveWindowsPublished
from contracts.ids import FacilityId
from gridstay.web.passes import COOKIE, Passes
from gridstay.web.site import is_ours
from runtime.clock import SystemClock
from tests.gridstay.web.conftest import CAR, FACILITY, Browser, House

TOKYO = ZoneInfo("Asia/Tokyo")
pytestmark = pytest.mark.acceptance
ODD = (
    "/f/nowhere",
    "/f/salon?service=none",
    "/f/salon?service=cut&day=2026-13-45&length=9&party=-1",
    "/f/salon?service=cut&day=2199-01-01",
    "/f/salon?service=cut&day=9999-01-01",
    "/f/salon/book",
    "/f/salon/book?service=cut&start=yesterday",
    "/f/salon/book?service=cut&start=2026-01-01T00:00:00",
    "/static/../site.py",
    "/sign-in/code?who=%00",
    "/embed/salon?service=none&lang=xx",
)


def tomorrow(hour: int) -> str:
    """That hour (UTC) of the day after the next."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2, hours=hour)
    return day.isoformat()


def chosen(hour: int, **more: str) -> dict[str, str]:
    return {"service": "cut", "length": "60", "start": tomorrow(hour), "car": "0", **more}


async def booked(browser: Browser, hour: int, **more: str) -> httpx.Response:
    fields = chosen(hour, **more)
    await browser.get("/f/salon/book", params=fields)
    return await browser.send("/f/salon/book", fields)


async def test_S200_S202_S208_a_guest_joins_books_and_is_offered_other_times_when_taken(house: House) -> None:
    first, second = house.browser(), house.browser()
    assert (await first.join(**CAR)).headers["location"] == "/stays"
    assert (await second.join(phone="090 3333 4444", name="Taro")).status_code == 303
    answer = await booked(first, 3, car="1", soc_pct="50", distance_km="10", wanted_soc_pct="55", dr="1")
    assert answer.status_code == 303, answer.text
    await first.get(answer.headers["location"])
    assert "It is booked." in first.text
    assert "Your car leaves with at least 55 %." in first.text
    taken = await booked(second, 3)
    assert taken.status_code == 409
    assert "Not free any more" in second.text
    assert taken.text.count('class="tile"') == 4
    (stay,) = (await house.api.get("/bookings")).json()
    assert (stay["service_id"], stay["charging"]["soc_pct"], stay["charging"]["dr"]) == ("cut", 50, True)


async def test_M6_anybody_sees_the_day_without_signing_in_in_their_language(house: House) -> None:
    guest = house.browser(**{"Accept-Language": "ja"})
    page = await guest.get("/f/salon", params={"service": "cut", "day": tomorrow(0)[:10]})
    assert page.status_code == 200
    assert 'lang="ja"' in page.text
    assert "空き" in guest.text
    assert COOKIE not in page.cookies
    english = await guest.get("/f/salon?service=cut&lang=en")
    assert "I come by electric car" in guest.text
    assert english.cookies["gridstay-language"] == "en"


async def test_what_people_write_is_text_and_never_markup(house: House) -> None:
    guest = house.browser()
    page = await guest.get("/")
    assert "Salon &lt;b&gt;" in page.text
    assert FACILITY["name"] not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "'none'" in page.headers["content-security-policy"].split("frame-ancestors")[1]
    assert page.headers["cache-control"] == "no-store"


async def test_a_form_of_another_site_is_refused(house: House) -> None:
    guest, stranger = house.browser(), house.browser()
    await guest.join()
    await stranger.get("/join")
    for token in ("", "x", "é"):
        answer = await guest.http.post("/sign-out", data={"token": token})
        assert answer.status_code == 403
    foreign = await stranger.send("/join", {})
    assert foreign.status_code == 422  # its own form is read, and its faults are told
    await guest.get("/account")
    assert "Hanako" in guest.text
    assert (await guest.http.post("/sign-out", content=b"x" * 70_000)).status_code == 413


async def test_a_guest_sees_and_does_only_what_is_theirs(house: House) -> None:
    guest, other = house.browser(), house.browser()
    await guest.join()
    await other.join(phone="090 3333 4444")
    stay = (await booked(guest, 5)).headers["location"].split("?")[0]
    assert (await guest.get(stay)).status_code == 200
    assert (await other.get(stay)).status_code == 404
    assert (await other.get(f"{stay}/events")).status_code == 404
    assert (await other.send(f"{stay}/cancel", {}, page="/account")).status_code == 404
    assert (await booked(other, 7, change=stay.split("/")[-1])).status_code == 404
    for path in ("/stays", "/wallet", "/account", stay, "/staff", "/staff/salon", "/staff/salon/settings"):
        answer = await house.browser().get(path)
        assert answer.status_code == 303, path
        assert "sign-in" in answer.headers["location"]
    assert (await guest.get("/staff/salon")).status_code == 303
    assert (await guest.send(f"/staff/salon/bookings/{stay.split('/')[-1]}/cancel", {}, page="/account")).status_code == 303
    assert (await house.api.get(f"/bookings/{stay.split('/')[-1]}")).json()["state"] == "booked"


async def test_a_guest_changes_and_cancels(house: House) -> None:
    guest = house.browser()
    await guest.join()
    stay = (await booked(guest, 5)).headers["location"].split("?")[0]
    booking_id = stay.split("/")[-1]
    answer = await booked(guest, 8, change=booking_id)
    assert answer.headers["location"] == f"{stay}?done=changed"
    assert (await house.api.get(f"/bookings/{booking_id}")).json()["start"][:13] == tomorrow(8)[:13]
    assert (await guest.send(f"{stay}/cancel", {}, page=stay)).headers["location"] == f"{stay}?done=cancelled"
    assert (await guest.send(f"{stay}/cancel", {}, page="/account")).status_code == 409
    await guest.get("/stays")
    assert "cancelled" in guest.text


async def test_the_same_tap_twice_books_once(house: House) -> None:
    guest = house.browser()
    await guest.join()
    fields = chosen(9)
    await guest.get("/f/salon/book", params=fields)
    page = guest.seen
    first = await guest.send("/f/salon/book", fields)
    guest.seen = page
    again = await guest.send("/f/salon/book", fields)
    assert first.headers["location"] == again.headers["location"]
    assert len((await house.api.get("/bookings")).json()) == 1


async def test_a_guest_signs_in_by_a_code_that_is_good_once(house: House) -> None:
    await house.browser().join()
    guest = house.browser()
    asked = await guest.send("/sign-in", {"who": "090 1111 2222", "next": "/wallet"}, page="/sign-in")
    assert asked.headers["location"].startswith("/sign-in/code?who=090")
    (notice,) = (await house.api.get("/members/09011112222/notices")).json()
    code = next(word.strip(".") for word in notice["text"].split() if word.strip(".").isdecimal())
    await guest.get(asked.headers["location"])
    fields = {"who": "090 1111 2222", "next": "/wallet"}
    assert (await guest.send("/sign-in/code", {**fields, "code": "x"})).status_code == 422
    entered = await guest.send("/sign-in/code", {**fields, "code": f" {code[:3]} {code[3:]} "})
    assert entered.headers["location"] == "/wallet"
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    await guest.get("/wallet")
    assert "Wallet" in guest.text
    assert code not in guest.text
    assert (await house.browser().send("/sign-in/code", {**fields, "code": code}, page="/sign-in")).status_code == 422
    assert (await guest.send("/sign-out", {}, page="/account")).headers["location"] == "/"
    assert (await guest.get("/wallet")).status_code == 303


async def test_nobody_learns_who_is_a_member_and_nobody_tries_for_ever(house: House) -> None:
    await house.browser().join()
    guest = house.browser()
    known = await guest.send("/sign-in", {"who": "09011112222"}, page="/sign-in")
    unknown = await guest.send("/sign-in", {"who": "09099998888"}, page="/sign-in")
    assert (known.status_code, known.headers["location"][:18]) == (unknown.status_code, unknown.headers["location"][:18])
    for _ in range(4):
        assert (await guest.send("/sign-in", {"who": "09011112222"}, page="/sign-in")).status_code == 303
    assert (await guest.send("/sign-in", {"who": "09011112222"}, page="/sign-in")).status_code == 429
    tries = [(await guest.send("/sign-in/code", {"who": "1", "code": "1"}, page="/sign-in")).status_code for _ in range(30)]
    assert 429 in tries
    assert tries[-1] == 429


async def test_M3_the_personal_link_of_a_confirmation_signs_in_but_does_not_change_who_one_is(house: House) -> None:
    first = house.browser()
    await first.join()
    booking_id = (await booked(first, 5)).headers["location"].split("?")[0].split("/")[-1]
    stay = (await house.api.get(f"/bookings/{booking_id}")).json()
    key = (house.system.settings.data / "pages-key").read_text().strip()
    passes = Passes(key, house.system.operator_token, SystemClock())
    guest = house.browser()
    opened = await guest.get(f"/s/{passes.link(stay['member_id'], booking_id)}")
    assert opened.headers["location"] == f"/stays/{booking_id}"
    assert (await guest.get(f"/stays/{booking_id}")).status_code == 200
    changed = await guest.send("/account/details", {"name": "Other"}, page="/account")
    assert changed.headers["location"].startswith("/sign-in")
    assert (await house.browser().get(f"/s/{passes.link('somebody', booking_id)}")).status_code == 404
    assert (await house.browser().get("/s/nonsense")).status_code == 404


async def test_what_is_wrong_in_a_form_is_said_at_its_field_and_nothing_typed_is_lost(house: House) -> None:
    guest = house.browser()
    answer = await guest.join(phone="nobody", battery_kwh="many", card="C1", charging="1")
    assert answer.status_code == 422
    assert 'id="phone" name="phone" type="tel" value="nobody" aria-invalid="true"' in guest.seen
    assert "In kWh, such as 60." in guest.text
    assert 'value="C1"' in guest.seen
    assert (await guest.send("/join", {"name": "X", "phone": "0901"}, page="/join")).status_code == 422
    assert "Without it we cannot keep a booking." in guest.text
    assert (await guest.join(**CAR, wanted_soc_pct="20", floor_soc_pct="50")).status_code == 422
    assert "The least charge must not be above" in guest.text
    assert (await house.api.get("/members")).json() == []
    await guest.join()
    assert (await house.browser().join()).status_code == 422  # the phone is a member's


async def test_a_member_changes_car_and_wishes_and_keeps_other_tokens(house: House) -> None:
    guest = house.browser()
    await guest.join()
    (member,) = (await house.api.get("/members")).json()
    await house.api.patch(f"/members/{member['id']}", json={"tokens": [{"value": "aabbccddeeff", "type": "MacAddress"}]})
    saved = await guest.send("/account/car", CAR, page="/account")
    assert saved.headers["location"] == "/account?saved=1"
    member = (await house.api.get(f"/members/{member['id']}")).json()
    assert member["car"]["battery_wh"] == 60_000
    wishes = {"charging": "1", "dr": "1", "discharge": "1", "wanted_soc_pct": "70", "floor_soc_pct": "25"}
    await guest.send("/account/consent", wishes, page="/account")
    member = (await house.api.get(f"/members/{member['id']}")).json()
    assert member["preferences"] == {"dr": True, "discharge": True, "wanted_soc_pct": 70, "floor_soc_pct": 25}
    assert [token["type"] for token in member["tokens"]] == ["MacAddress", "ISO14443"]
    wrong = await guest.send("/account/consent", wishes | {"wanted_soc_pct": "700"}, page="/account")
    assert wrong.status_code == 422
    assert 'value="700" aria-invalid="true"' in guest.seen


async def test_staff_sign_in_with_the_operators_token_and_run_the_day(house: House) -> None:
    guest, staff = house.browser(), house.browser()
    await guest.join()
    booking_id = (await booked(guest, 5)).headers["location"].split("?")[0].split("/")[-1]
    assert (await staff.send("/staff/sign-in", {"operator_token": "guess"}, page="/staff/sign-in")).status_code == 422
    fields = {"operator_token": house.system.operator_token, "next": "https://elsewhere.example"}
    assert (await staff.send("/staff/sign-in", fields, page="/staff/sign-in")).headers["location"] == "/staff"
    assert (await staff.get("/staff")).headers["location"] == "/staff/salon"
    day = datetime.fromisoformat(tomorrow(5)).astimezone().date().isoformat()
    await staff.get(f"/staff/salon?day={day}")
    assert "Hanako" in staff.text
    assert "No car is plugged in." in staff.text
    early = await staff.send(f"/staff/salon/bookings/{booking_id}/check-in", {"day": day})
    assert early.status_code == 409
    assert (await staff.send(f"/staff/salon/bookings/{booking_id}/explode", {}, page="/staff/salon")).status_code == 404
    done = await staff.send(f"/staff/salon/bookings/{booking_id}/cancel", {"day": day}, page="/staff/salon")
    assert done.headers["location"] == f"/staff/salon?day={day}"
    assert (await house.api.get(f"/bookings/{booking_id}")).json()["state"] == "cancelled"
    await staff.get("/staff/salon/settings")
    assert "CP1 / 1" in staff.text


async def test_M6_a_day_shows_its_paid_periods_and_what_the_members_car_can_earn(house: House) -> None:
    member = house.browser()
    await member.join(**CAR)
    begin = datetime.fromisoformat(tomorrow(0))
    window = IncentiveWindow(
        start=begin + timedelta(hours=3), end=begin + timedelta(hours=5), direction=Direction.UP, minor_per_kwh=30
    )
    published = IncentiveWindowsPublished(
        at=begin,
        facility_id=FacilityId("salon"),
        currency="JPY",
        start=begin,
        end=begin + timedelta(days=1),
        windows=(window,),
    )
    await house.system.bus.publish(published)
    day = (begin + timedelta(hours=3)).astimezone(TOKYO).date().isoformat()
    anybody = house.browser()
    page = await anybody.get("/f/salon", params={"service": "cut", "day": day})
    assert "Paid: 12:00 – 14:00." in page.text
    assert page.text.count('class="time paid"') == 5  # from 11:30 to 13:30
    await member.get("/f/salon", params={"service": "cut", "day": day})
    assert "Your car can earn up to ¥360 here on this day." in member.text
    stay = chosen(3, car="1", dr="1", soc_pct="50", wanted_soc_pct="40")
    await member.get("/f/salon/book", params=stay)
    assert "It may earn up to ¥180." in member.text
    assert "In 12:00 – 13:00, by what it really gives or takes." in member.text
    frame = await anybody.get("/embed/salon", params={"service": "cut", "day": day})
    assert "Paid: 12:00 – 14:00." in frame.text


async def test_S104_an_offers_last_link_ends_them_for_good(house: House) -> None:
    guest = house.browser()
    asked = await guest.get("/offers/decline/nonsense")
    assert asked.status_code == 200
    assert (await guest.http.post("/offers/decline/nonsense")).status_code == 404


async def test_M6_the_widget_may_be_framed_by_anybody_and_its_script_is_small(house: House) -> None:
    guest = house.browser()
    frame = await guest.get("/embed/salon")
    assert frame.headers["content-security-policy"].endswith("frame-ancestors *")
    assert frame.text.count('role="img"') in (2, 3)  # just before midnight nothing of the day is left
    assert "set-cookie" not in frame.headers
    script = await guest.get("/embed.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) <= 1_024
    assert (await guest.get("/embed/nowhere")).status_code == 404


async def test_an_odd_address_is_answered_and_breaks_nothing(house: House) -> None:
    answers = {path: (await house.browser().get(path)).status_code for path in ODD}
    assert set(answers.values()) <= {200, 303, 404}, answers


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("/stays", True),
        ("/f/a?b=c", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://e.example", False),
        ("", False),
        ("stays", False),
        ("/a\nb", False),
    ],
)
def test_only_our_own_pages_are_gone_on_to(address: str, ours: bool) -> None:
    assert is_ours(address) is ours
