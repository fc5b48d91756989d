"""Benefits expire as time passes."""

from datetime import timedelta

import httpx

from runtime.activity import Activity
from runtime.bus.local import LocalBus
from runtime.clock import SimulatedClock
from tests.reservation.api.test_register import done, given, sound
from tests.reservation.handlers.test_compensation import accounts, thanked


async def test_S502_S504_what_is_not_spent_in_time_expires_and_the_member_is_told(
    salon: httpx.AsyncClient, bus: LocalBus, clock: SimulatedClock, activity: Activity
) -> None:
    await given(salon, bus, 500, {"kind": "amount_off", "expires_days": 30})
    body = {"facility_id": "salon", "amount_minor": 500, "member": "1001", "redeem": {"amount_off_minor": 100}}
    await done(salon, "payments", **body)
    await clock.run_until(clock.now() + timedelta(days=29, hours=23), activity.settled)
    assert (await accounts(salon))["member/m1/amount_off/salon"] == 400
    await clock.run_until(clock.now() + timedelta(hours=3), activity.settled)
    held = await accounts(salon)
    assert (held["member/m1/amount_off/salon"], held["expired/amount_off/salon"]) == (0, 400)
    assert (await thanked(salon, "m1"))[-1] == (
        "400 JPY off your next payment of Salon Kanda were not spent in time and have expired."
    )
    await clock.run_until(clock.now() + timedelta(days=2), activity.settled)
    assert len(await thanked(salon, "m1")) == 2
    await sound(salon)


async def test_S502_what_a_refund_gives_back_to_an_expired_benefit_expires_again(
    salon: httpx.AsyncClient, bus: LocalBus, clock: SimulatedClock, activity: Activity
) -> None:
    await given(salon, bus, 500, {"kind": "cash", "expires_days": 1})
    body = {"facility_id": "salon", "amount_minor": 500, "member": "1001", "redeem": {"cash_minor": 100}}
    paid = await done(salon, "payments", **body)
    await clock.run_until(clock.now() + timedelta(days=2), activity.settled)
    await done(salon, "refunds", receipt_id=paid["id"])
    wallet = (await salon.get("/members/1001/wallet")).json()
    assert (wallet["balances"], wallet["benefits"]) == ([], [])
    await clock.run_until(clock.now() + timedelta(hours=2), activity.settled)
    assert (await accounts(salon))["expired/cash/salon"] == 500
    await sound(salon)
