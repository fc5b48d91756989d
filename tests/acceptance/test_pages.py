"""Guests and staff at the pages, in a real browser: book, be refused and take another time, change, cancel, follow the session,
look into the wallet, pay at the till; without script, without a mouse, for everybody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Response, expect

from gridstay.web.passes import COOKIE, Passes
from runtime.clock import SystemClock
from tests.acceptance.browser import DESK, Visitor, axe_source, chromium, grave_faults, visitor
from tests.acceptance.served import (
    FAST,
    Served,
    ask_for_power,
    facility,
    guest_plugs_in,
    member,
    reached,
    rfc3339,
    served,
    simulated,
    until,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

FIRST_VIEW_BYTES = 100_000
SERVICES = [
    {"id": "cut", "name": "Cut", "minutes": [60], "every_min": 30},
    {"id": "colour", "name": "Colour", "minutes": [90, 120], "every_min": 30},
]
CAR = {"battery_kwh": "60", "charge_kw": "6", "discharge_kw": "6", "card": "CARD-9"}


@dataclass
class Salon:
    """A served salon that never closes, with one chair and two bays, and a browser."""

    service: Served
    browser: Browser
    stack: AsyncExitStack

    async def guest(self, **more: Any) -> Visitor:
        return await self.stack.enter_async_context(visitor(self.browser, self.service.http_url, **more))

    async def signed_in(self, member_id: str | None, **more: Any) -> Visitor:
        """A browser with the cookie of a member, or (None) of the staff."""
        key, token = ((self.service.data / name).read_text().strip() for name in ("pages-key", "operator-token"))
        passes = Passes(key, token, SystemClock())
        session = passes.of_member(member_id, by_code=True) if member_id else passes.of_staff(token)
        assert session
        came = await self.guest(**more)
        cookie = {"name": COOKIE, "value": passes.written(session), "url": self.service.http_url}
        await came.page.context.add_cookies([cookie])  # type: ignore[list-item]
        return came

    async def bookings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.service.api.get("/bookings")).raise_for_status().json()
        return found


@asynccontextmanager
async def salon(data: Path, **more: Any) -> AsyncIterator[Salon]:
    config = data.parent / "fast.toml"
    config.write_text(FAST)
    async with served(data, config=config) as service, chromium() as browser, AsyncExitStack() as stack:
        await service.register("CP0", "CP1")
        body = facility(stations=["CP0", "CP1"]) | {"services": SERVICES} | more
        added = await service.api.post("/facilities", json=body)
        assert added.status_code == 201, added.text
        yield Salon(service, browser, stack)


def tomorrow() -> str:
    """The salon's next day."""
    return (datetime.now(UTC) + timedelta(hours=9, days=1)).date().isoformat()


async def at_the_last_tap(guest: Visitor, number: int) -> str:
    """Go to the confirmation of tomorrow's start of that number; its time."""
    await guest.open(f"/f/salon?service=cut&day={tomorrow()}")
    start = guest.page.locator(".time").nth(number)
    time = (await start.inner_text()).split()[0]
    await guest.tap(start)
    await expect(guest.page.locator("h1")).to_contain_text("our booking")
    return time


async def test_S200_S202_M3_X1_a_guest_joins_and_books_with_four_taps(tmp_path: Path) -> None:
    async with salon(tmp_path / "data") as house:
        guest = await house.guest()
        await guest.join("Hanako", "090 1111 2222", **CAR)
        await guest.open("/f/salon")
        guest.taps = 0
        await guest.picture("1-services")
        await guest.tap(guest.page.get_by_role("link", name="Cut"))
        await guest.tap(guest.page.locator(".day").nth(1))
        await expect(guest.page.locator(".day").nth(1)).to_have_attribute("aria-current", "date")
        await guest.picture("2-day")
        await guest.tap(guest.page.locator(".time").nth(20))
        await guest.fill(soc_pct="62", distance_km="10")
        await guest.page.locator("#wanted_soc_pct").focus()
        await expect(guest.page.locator("#promise")).to_contain_text("Your car can leave with about 68 %, not with 80 %.")
        await guest.fill(wanted_soc_pct="60")
        await guest.page.locator("#soc_pct").focus()
        await expect(guest.page.locator("#promise")).to_contain_text("Your car leaves with at least 60 %.")
        await guest.picture("3-confirm")
        await guest.button("Book")
        assert guest.taps == 4
        assert "It is booked." in await guest.text()
        await guest.picture("4-booked")
        (stay,) = await house.bookings()
        assert (stay["service_id"], stay["state"], stay["bay"]["id"]) == ("cut", "booked", "bay-CP0")
        assert (stay["charging"]["soc_pct"], stay["charging"]["wanted_soc_pct"], stay["charging"]["dr"]) == (62, 60, True)
        assert stay["code"] in await guest.text()
        async with guest.page.expect_download() as calendar:
            await guest.page.get_by_role("link", name="Into my calendar").click()
        assert "BEGIN:VEVENT" in (await (await calendar.value).path()).read_text()


async def test_S202_S208_a_guest_who_comes_too_late_takes_one_of_the_times_that_are_offered(tmp_path: Path) -> None:
    async with salon(tmp_path / "data") as house:
        await house.service.api.post("/members", json=member(0))
        guest = await house.guest(locale="ja-JP")
        await guest.open("/join")
        await guest.fill(name="花子", phone="090 1111 2222")
        await guest.page.locator("#data").check()
        await guest.button("登録する")
        await guest.open(f"/f/salon?service=cut&day={tomorrow()}")
        await guest.tap(guest.page.locator(".time").nth(20))
        await expect(guest.page.locator("h1")).to_have_text("ご予約内容")
        start = datetime.fromisoformat(await guest.page.locator("input[name=start]").input_value())
        other = {"facility_id": "salon", "member": "M0", "service_id": "cut", "by_car": False}
        quicker = await house.service.api.post("/bookings", json={**other, "start": rfc3339(start)})
        assert quicker.status_code == 201, quicker.text
        await guest.button("予約する")
        assert "空きがなくなりました" in await guest.text()
        near = guest.page.locator(".tile")
        await expect(near).to_have_count(4)
        await guest.picture("5-taken")
        async with guest.page.expect_navigation():
            await guest.tap(near.nth(2))
        await guest.button("予約する")
        assert "予約が完了しました。" in await guest.text()
        mine, taken = sorted(await house.bookings(), key=lambda stay: stay["member_id"] == "member-0")
        assert mine["start"] == taken["end"]


async def test_a_guest_changes_and_cancels(tmp_path: Path) -> None:
    async with salon(tmp_path / "data") as house:
        await house.service.api.post("/members", json=member(0))
        guest = await house.signed_in("member-0")
        await at_the_last_tap(guest, 10)
        await guest.button("Book")
        (before,) = await house.bookings()
        await guest.link("Change")
        assert "You are changing your stay" in await guest.text()
        await guest.tap(guest.page.locator(".time").nth(30))
        await guest.button("Change the booking")
        assert "It is changed." in await guest.text()
        await guest.picture("6-changed")
        (after,) = await house.bookings()
        assert (after["id"], after["revision"]) == (before["id"], 1)
        assert after["start"] > before["start"]
        await guest.page.get_by_text("Cancel…").click()
        await guest.button("Cancel this stay")
        assert "It is cancelled." in await guest.text()
        assert [stay["state"] for stay in await house.bookings()] == ["cancelled"]
        await guest.open("/stays")
        assert "No stay is booked." in await guest.text()
        await guest.picture("7-cancelled")


async def test_S500_S504_a_guest_follows_the_car_to_the_wallet_and_staff_see_it_and_take_the_payment(tmp_path: Path) -> None:
    async with salon(tmp_path / "data", services=[]) as house:
        service = house.service
        await service.api.post("/members", json=member(0))
        await service.api.put("/facilities/salon/benefits", json={"kind": "points", "pending_until_final": False})
        guest, staff = await house.signed_in("member-0"), await house.signed_in(None, viewport=DESK)
        async with simulated(service, "CP0") as station:
            await guest_plugs_in(service, station)
            (stay,) = await house.bookings()
            await guest.open(f"/stays/{stay['id']}")
            live = guest.page.locator("#live")
            await expect(live).to_contain_text("charging", ignore_case=True)
            await expect(live).to_contain_text("40")
            await guest.picture("8-live")
            await staff.open("/staff/salon")
            await expect(staff.page.locator("#desk")).to_contain_text("Guest 0")
            await expect(staff.page.get_by_role("row", name="bay-CP0")).to_contain_text("kW")
            await staff.picture("9-desk")
            await expect(staff.page.locator(f"#stay-{stay['id']}")).to_contain_text("here")  # plugging in is checking in
            await ask_for_power(service, -3_000, seconds=10)  # it charges less than it would have
            await expect(live).to_contain_text("settled after the event")
            await reached(service, "ended")
            await guest.picture("10-live-event")
            await compensated(service)
            await expect(live).to_contain_text("Earned: ¥500")
            await guest.picture("11-live-earned")
        await guest.open("/wallet")
        assert "500 points" in await guest.text()
        await guest.picture("12-wallet")
        await staff.open("/staff/salon/till")
        await staff.fill(amount="3000", member="M0")
        await staff.button("What does it come to?")
        await staff.fill(points="200")
        await staff.button("What does it come to?")
        assert "¥2,800" in await staff.text()
        await staff.picture("13-till")
        await staff.button("Take the payment")
        assert "Receipt no. 1" in await staff.text()
        await staff.picture("14-receipt")
        receipts = (await service.api.get("/register/receipts", params={"facility_id": "salon"})).json()
        assert [(one["gross_minor"], one["due_minor"], one["member_id"]) for one in receipts] == [(3_000, 2_800, "member-0")]
        await guest.open("/wallet")
        assert "300 points" in await guest.text()


async def compensated(service: Served) -> None:
    """The grid pays 500 yen for the event, as soon as its figures are known."""

    async def delivered() -> bool:
        event = (await service.api.get("/dr/events/event-1")).json()
        return bool(event["delivered_wh"])

    await until(delivered, "the event's energy is metered")
    money = {"statement_id": "st1", "total_minor": 500, "currency": "JPY"}
    paid = await service.api.post("/dr/events/event-1/compensation", json=money)
    assert paid.status_code == 201, paid.text
    await service.drained()


async def test_without_script_and_without_a_mouse_a_guest_books_too(tmp_path: Path) -> None:
    async with salon(tmp_path / "data") as house:
        await house.service.api.post("/members", json=member(0))
        guest = await house.signed_in("member-0", java_script_enabled=False)
        await guest.open("/f/salon")
        links = guest.page.get_by_role("link")
        for target in (links.filter(has_text="Cut"), guest.page.locator(".day").nth(1), guest.page.locator(".time").nth(5)):
            await target.focus()
            async with guest.page.expect_navigation():
                await guest.page.keyboard.press("Enter")
        await guest.page.get_by_role("button", name="Book", exact=True).focus()
        async with guest.page.expect_navigation():
            await guest.page.keyboard.press("Enter")
        assert "It is booked." in await guest.text()
        assert len(await house.bookings()) == 1


async def test_nothing_on_the_pages_stands_in_anybodys_way_and_a_first_view_is_light(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache is not None
    axe = await axe_source(pytestconfig.cache.mkdir("axe"))
    async with salon(tmp_path / "data") as house:
        await house.service.api.post("/members", json=member(0))
        start = (datetime.now(UTC) + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
        stay = {"facility_id": "salon", "member": "M0", "service_id": "cut", "start": rfc3339(start)}
        booking = (await house.service.api.post("/bookings", json=stay)).json()
        other = rfc3339(start + timedelta(hours=5))
        for_all = ("/", f"/f/salon?service=cut&day={tomorrow()}", "/sign-in", "/sign-in/code?who=1", "/join", "/embed/salon")
        for_member = (
            "/stays",
            f"/stays/{booking['id']}?done=booked",
            "/wallet",
            "/account",
            f"/f/salon/book?service=cut&length=60&car=1&start={other.replace('+', '%2B')}",
        )
        for_staff = (
            "/staff/salon",
            f"/staff/salon?day={start.date()}",
            "/staff/salon/settings",
            "/staff/salon/till?member=M0&amount=100",
        )
        faults: list[str] = []
        for scheme in ("light", "dark"):
            come = [
                (await house.guest(color_scheme=scheme), for_all),
                (await house.signed_in("member-0", color_scheme=scheme), for_member),
                (await house.signed_in(None, color_scheme=scheme, locale="ja-JP"), for_staff),
            ]
            for who, paths in come:
                for path in paths:
                    await who.open(path)
                    faults += await grave_faults(who.page, axe)
        assert faults == []
        assert await weight(await house.guest(), f"/f/salon?service=cut&day={tomorrow()}") < FIRST_VIEW_BYTES


async def weight(guest: Visitor, path: str) -> int:
    """Octets of everything that a first view of the page fetches, heads and all, as they are served."""
    answers = list[Response]()
    guest.page.on("response", lambda answer: answers.append(answer))  # it wants a function that it can mark
    await guest.page.goto(guest.url + path, wait_until="networkidle")
    sizes = [await answer.request.sizes() for answer in answers]
    return sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
