"""Periods that are held while a guest decides: one at a facility, for as long as the facility's rule says."""

from collections.abc import Mapping, Sequence
from typing import Any

from gridstay.web.door import Refusal
from gridstay.web.guest.choice import Choice
from gridstay.web.site import Visit
from gridstay.web.words import instant

Stay = Mapping[str, Any]


async def held_by(visit: Visit, member_id: str, facility_id: str) -> list[Stay]:
    """What the member holds at the facility now."""
    found = await visit.door.get("bookings", member_id=member_id, facility_id=facility_id, state="held")
    return [one for one in found if is_held(one, visit)]


def is_held(stay: Stay, visit: Visit) -> bool:
    """Whether it is held, and its time is not over."""
    return stay["state"] == "held" and instant(stay["expires_at"]) > visit.now


def the_one(held: Sequence[Stay], choice: Choice, body: Mapping[str, Any]) -> Stay | None:
    """The held stay that a booking of this choice would be."""
    span = (instant(body["start"]), instant(body["end"]))
    for one in held:
        same = (one["service_id"], one["party"]) == (body["service_id"], choice.party)
        if same and (instant(one["start"]), instant(one["end"])) == span and bool(one["charging"]) == choice.by_car:
            return one
    return None


async def hold(visit: Visit, choice: Choice, member_id: str, body: Mapping[str, Any], key: str) -> None:
    """Hold what was chosen in place of what the member holds here; what is held already is held on. Raises Refusal."""
    held = await held_by(visit, member_id, choice.facility["id"])
    if the_one(held, choice, body):
        return
    await let_go(visit, held)
    asked = {**body, "facility_id": choice.facility["id"], "member": member_id, "hold": True}
    made = await visit.door.post("bookings", body=asked, key=key)
    if not is_held(made, visit):  # the same form was sent before, and that hold is over
        await visit.door.post("bookings", body=asked)


async def let_go(visit: Visit, held: Sequence[Stay]) -> None:
    """Hold these no longer."""
    for one in held:
        try:
            await visit.door.delete("bookings", one["id"])
        except Refusal as refusal:
            if refusal.status != 409:  # it is over by itself
                raise


async def confirmed(visit: Visit, held: Stay, car: Mapping[str, Any]) -> Stay | None:
    """The held stay, booked, with what is said of the car; None when it is held no longer. Sent twice it is booked once.
    Raises Refusal for what cannot be meant of the car."""
    try:
        if held["state"] == "held" and any((held["charging"] or {}).get(name) != value for name, value in car.items()):
            await visit.door.patch("bookings", held["id"], body=car)
        booked: Stay = await visit.door.post("bookings", held["id"], "confirm")
    except Refusal as refusal:
        if refusal.reason not in ("hold_over", "not_possible"):
            raise
        now: Stay = await visit.door.get("bookings", held["id"])
        return now if now["state"] == "booked" else None
    return booked
