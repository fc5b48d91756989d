"""Subscribers are told what they asked for and may see, in order, and again when they do not answer."""

from datetime import timedelta

from runtime.activity import Activity
from runtime.clock import SimulatedClock
from tests.simulators.vtn.conftest import INTERVALS, PERIOD, Door, Hook


async def test_X5_a_subscriber_hears_of_what_it_asked_for(bl: Door, ven: Door, hook: Hook) -> None:
    program = await bl.post("/programs", programName="mine")
    another = await bl.post("/programs", programName="another")
    await ven.post(
        "/subscriptions",
        clientName="us",
        programID=program["id"],
        objectOperations=hook.wish("CREATE", "UPDATE", "DELETE", objects=("EVENT", "PROGRAM")),
    )
    body = {"programID": program["id"], "intervalPeriod": PERIOD, "intervals": INTERVALS}
    event = await bl.post("/events", **body, eventName="e")
    await bl.post("/events", programID=another["id"], eventName="not mine")
    await bl.ask("PUT", f"/events/{event['id']}", 200, {**body, "eventName": "e2"})
    await ven.get(f"/events/{event['id']}")
    await bl.ask("DELETE", f"/programs/{program['id']}", 200)
    assert await hook.after(4) == [
        ("CREATE", "EVENT", "e"),
        ("UPDATE", "EVENT", "e2"),
        ("DELETE", "EVENT", "e2"),
        ("DELETE", "PROGRAM", "mine"),
    ]
    assert hook.bearers == {"Bearer knock"}


async def test_X5_a_subscriber_hears_of_reading_too_if_it_wants(bl: Door, ven: Door, hook: Hook) -> None:
    await bl.post("/subscriptions", clientName="bl", objectOperations=hook.wish("READ", objects=("PROGRAM",)))
    await bl.post("/programs", programName="p")
    await ven.get("/programs")
    assert await hook.after(1) == [("READ", "PROGRAM", "p")]


async def test_X5_a_subscriber_does_not_hear_of_what_it_may_not_see(bl: Door, ven: Door, other: Door, hook: Hook) -> None:
    program = await bl.post("/programs", programName="p")
    await bl.post("/vens", objectType="BL_VEN_REQUEST", venName="v", clientID="ven-1", targets=["north"])
    await other.post("/subscriptions", clientName="other", objectOperations=hook.wish("CREATE"))
    await bl.post("/events", programID=program["id"], eventName="secret", targets=["north"])
    await bl.post("/events", programID=program["id"], eventName="open")
    assert await hook.after(1) == [("CREATE", "EVENT", "open")]


async def test_X5_a_notification_is_tried_again(
    bl: Door, ven: Door, hook: Hook, clock: SimulatedClock, activity: Activity
) -> None:
    program = await bl.post("/programs", programName="p")
    await ven.post("/subscriptions", clientName="us", objectOperations=hook.wish("CREATE"))
    hook.statuses = [500, 503]
    for name in ("a", "b"):
        await bl.post("/events", programID=program["id"], eventName=name)
    while hook.statuses:
        await clock.run_until(clock.now() + timedelta(seconds=10), activity.settled)
    await clock.run_until(clock.now() + timedelta(seconds=10), activity.settled)
    assert [name for _, _, name in await hook.after(2)] == ["a", "b"]
    hook.statuses = [500] * 4
    await bl.post("/events", programID=program["id"], eventName="lost")
    await bl.post("/events", programID=program["id"], eventName="kept")
    await clock.run_until(clock.now() + timedelta(seconds=60), activity.settled)
    assert [name for _, _, name in await hook.after(3)] == ["a", "b", "kept"]
