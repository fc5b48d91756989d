"""What is known of a facility, in words."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gridstay.web.words import Words

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def hours_of(words: Words, facility: Mapping[str, Any], day: date) -> str:
    """When it is open on that day: `Open 10:00–19:00`."""
    closure = next((one for one in reversed(facility["closures"]) if one["first"] <= str(day) <= one["last"]), None)
    times = facility["hours"].get(WEEKDAYS[day.weekday()], []) if closure is None else closure["hours"]
    if not times:
        reason = closure["reason"] if closure else ""
        return words("hours.closed_because", reason=reason) if reason else words("hours.closed")
    first, _, last = times[0].partition("-")
    if first == last:
        return words("hours.always")
    return words("hours.open", times=", ".join(one.replace("-", "–") for one in times))


def lengths_of(words: Words, service: Mapping[str, Any]) -> str:
    """How long a service takes."""
    if service["nights"]:
        return words("length.by_night")
    if not service["minutes"]:
        return words("length.any")
    return " / ".join(words.length(minutes) for minutes in service["minutes"])
