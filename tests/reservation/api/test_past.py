"""A facility's past comes in over HTTP."""

from typing import Any

import httpx
import pytest

from contracts.reservation import StayEnded, StayOutcome
from runtime.activity import Activity
from runtime.bus.local import LocalBus
from tests.reservation.api.test_bookings import heard
from tests.reservation.samples import at


def row(line: int, first: float = -13, last: float = -12, **given: Any) -> dict[str, Any]:
    body = {"line": line, "key": f"k{line}", "start": at(first).isoformat(), "end": at(last).isoformat(), "became": "came"}
    return {name: value for name, value in {**body, **given}.items() if value is not None}


async def bring_in(http: httpx.AsyncClient, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.post("/facilities/salon/past", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_each_row_is_answered_and_what_was_learned_goes_on(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity
) -> None:
    events = heard(bus, StayEnded)
    made_at = at(-100).isoformat()
    verdicts = await bring_in(
        salon,
        row(2, member="1001", made_at=made_at),
        row(3, became="no_show"),
        row(4, -11, -10, became="no_show"),
        row(5, -11, -10, became="cancelled"),
        row(6, -20, -19),
        row(7, 11, 12),
        row(8, -4, -3, member="nobody"),
    )
    assert [one["state"] for one in verdicts] == ["checked_out", None, "no_show", "cancelled", None, None, None]
    assert [one["detail"][:30] for one in verdicts if one["detail"]] == [
        "every resource is booked in th",
        "the stay is outside the hours ",
        "the stay ends 2026-06-03 03:00",
        "no member with id, number or p",
    ]
    await activity.settled()
    told = sorted((event.start, event.outcome, event.made_at) for event in events)
    assert told == [(at(-13), StayOutcome.CAME, at(-100)), (at(-11), StayOutcome.NO_SHOW, at(-11))]
    kept = (await salon.get("/bookings")).json()
    assert {(one["member_number"], one["state"]) for one in kept} == {
        ("1001", "checked_out"),
        ("past-salon", "no_show"),
        ("past-salon", "cancelled"),
    }


async def test_a_row_comes_in_once(salon: httpx.AsyncClient, bus: LocalBus, activity: Activity) -> None:
    events = heard(bus, StayEnded)
    [first] = await bring_in(salon, row(2))
    [again] = await bring_in(salon, row(2))
    assert again == {**first, "again": True}
    await activity.settled()
    assert len(events) == 1


async def test_a_part_of_the_day_is_filled_week_after_week(salon: httpx.AsyncClient) -> None:
    first = at(-24 * 21)
    within = {"start": first.replace(hour=10).isoformat(), "end": first.replace(hour=12).isoformat()}
    rows = [row(line, start=None, end=None, within=within, minutes=60) for line in range(2, 6)]
    verdicts = await bring_in(salon, *rows)
    assert [one["start"] for one in verdicts] == [
        "2026-05-13T01:00:00Z",
        "2026-05-13T02:00:00Z",
        "2026-05-20T01:00:00Z",
        "2026-05-20T02:00:00Z",
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"key": "a b"},
        {"became": "perhaps"},
        {"end": None},
        {"within": {"start": at(1).isoformat(), "end": at(2).isoformat()}},
        {"end": at(-14).isoformat()},
    ],
)
async def test_rows_that_make_no_sense_are_refused(salon: httpx.AsyncClient, given: dict[str, Any]) -> None:
    answer = await salon.post("/facilities/salon/past", json={"rows": [row(2, **given)]})
    assert answer.status_code == 422
    assert (await salon.post("/facilities/none/past", json={"rows": [row(2)]})).status_code == 404
