"""Why the services refused something, in the visitor's words."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gridstay.web.door import Refusal
from gridstay.web.words import Words, instant, worth

MOMENTS = ("until", "since", "start")


def why(words: Words, refusal: Refusal, facility: Mapping[str, Any] | None = None) -> str:
    """The refusal's reason with the facts of the case, in the facility's time and money."""
    name = f"refusal.{refusal.reason}"
    if not words.has(name):
        return words("refusal.other")
    return words(name, **{fact: _said(words, fact, refusal.facts, facility or {}) for fact in refusal.facts})


def _said(words: Words, fact: str, facts: Mapping[str, Any], facility: Mapping[str, Any]) -> str:
    value = facts[fact]
    if fact in MOMENTS:
        return words.moment(instant(value), ZoneInfo(facility.get("zone", "UTC")))
    if fact == "minutes":
        return words.length(value)
    if fact == "kind":
        return words(f"benefit.of_{value}")
    if fact == "most" and "kind" in facts:
        return worth(words, value, facts["kind"], facility["currency"])
    if fact == "left_minor":
        return words.money(value, facility["currency"])
    return words.number(value) if isinstance(value, int) else str(value)
