"""What a stay by car would bring, before it is booked: the SOC that the car leaves with, and what it may earn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from gridstay.web.door import Refusal
from gridstay.web.guest.choice import Choice
from gridstay.web.guest.times import end_of, free_stay, most_earned, paid_periods
from gridstay.web.site import Visit
from gridstay.web.words import Words


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence for the guest; `good` for what can be kept."""

    text: str
    good: bool = True
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Prospect:
    """All that can be told."""

    told: Sequence[Told] = ()


def promise_told(words: Words, promise: Mapping[str, Any]) -> Told:
    """The promise of X1 in words: kept, or how far the stay brings the car."""
    wanted, expected = promise["wanted_soc_pct"], promise["expected_soc_pct"]
    if promise["kept"]:
        return Told(words("promise.kept", wanted=wanted))
    if expected is None:
        return Told(words("promise.unknown", wanted=wanted), good=False, detail=words("promise.tell_soc"))
    return Told(words("promise.short", expected=expected, wanted=wanted), good=False, detail=words("promise.longer"))


async def prospect_of(
    visit: Visit, choice: Choice, start: datetime, member: Mapping[str, Any], car: Mapping[str, Any], but: str
) -> Prospect:
    """What the stay would bring to the member's car. `but` is the booking that already has the place, "" for none. What is
    said of the car may be wrong yet: then nothing is told."""
    try:
        stay = await free_stay(visit, choice, start, member, car, but)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return Prospect()
    if stay is None:
        return Prospect([Told(visit.words("promise.not_free"), good=False)])
    told = [promise_told(visit.words, stay["promise"])] if stay["promise"] else []
    if car.get("dr"):
        told.append(await _earnings(visit, choice, start, member))
    return Prospect(told)


async def _earnings(visit: Visit, choice: Choice, start: datetime, member: Mapping[str, Any]) -> Told:
    w, end = visit.words, end_of(choice, start)
    paid = [one for one in await paid_periods(visit, choice.facility["id"], member) if one.overlaps(start, end)]
    most = most_earned(paid, start, end)
    if not most:
        return Told(w("promise.earns_nothing"), good=False)
    times = ", ".join(w.times(max(one.start, start), min(one.end, end), choice.zone) for one in paid)
    return Told(w("promise.earns", amount=w.money(most, paid[0].currency)), detail=w("promise.earns_detail", times=times))
