"""What is said to people, in their language: one catalogue a language in `texts/`, and dates and numbers as they are written
there."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from contracts.units import MINOR_DIGITS

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("en", "ja")
"""The first is spoken to those who ask for none of them."""
MOST_CHOICES = 20
POINTS, RATE_OFF = "points", "rate_off"
BP_A_PERCENT = 100


def chosen(*wishes: str | None) -> str:
    """The first wish that names a language of ours; a wish may be a whole Accept-Language header (RFC 9110, 12.5.4)."""
    for wish in wishes:
        for name in _by_preference(wish or ""):
            if (language := name.split("-")[0].lower()) in LANGUAGES:
                return language
    return LANGUAGES[0]


def _by_preference(header: str) -> list[str]:
    choices = []
    for position, choice in enumerate(header.split(",")[:MOST_CHOICES]):
        name, _, parameter = choice.partition(";")
        choices.append((-_quality(parameter), position, name.strip()))
    return [name for quality, _, name in sorted(choices) if quality < 0]


def _quality(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0.0


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language by its name, such as `book.title`."""
    return dict(_flat(tomllib.loads((TEXTS / f"{language}.toml").read_text("utf-8"))))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


@dataclass(frozen=True, slots=True)
class Words:
    """A language at work. Times are local times of the zone that is given with them."""

    language: str

    def __call__(self, name: str, **fields: Any) -> str:
        """The text of that name. Raises KeyError for a name that the catalogue does not have."""
        return catalogue(self.language)[name].format(**fields)

    def counted(self, name: str, count: int) -> str:
        """The text of that name for so many; one thing has a text of its own."""
        return self(f"{name}_1" if count == 1 else name, count=count)

    def has(self, name: str) -> bool:
        """Whether there is a text of that name."""
        return name in catalogue(self.language)

    @property
    def locale(self) -> Locale:
        """For Babel."""
        return Locale.parse(self.language)

    def day(self, when: date) -> str:
        """A day with its weekday: `Friday, November 27`, `11月27日(金)`."""
        return format_skeleton("MMMMEEEEd" if self.language == "en" else "MMMEd", _noon(when), locale=self.locale)

    def short_day(self, when: date) -> tuple[str, str]:
        """The weekday and the day for a narrow strip: `Fri`, `27`."""
        return format_date(when, "EEE", self.locale), str(when.day)

    def day_name(self, number: int) -> str:
        """A weekday by its number, Monday 0."""
        return str(self.locale.days["stand-alone"]["wide"][number])

    def time(self, when: datetime, zone: ZoneInfo) -> str:
        """`14:30`, in the facility's time."""
        return format_time(when.astimezone(zone), "HH:mm", locale=self.locale)

    def times(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """`14:30 – 16:00`; with the day of the end when it is another."""
        until = self.time(end, zone)
        if start.astimezone(zone).date() != (end - timedelta(microseconds=1)).astimezone(zone).date():
            until = f"{self.day(end.astimezone(zone).date())} {until}"
        return f"{self.time(start, zone)} – {until}"

    def moment(self, when: datetime, zone: ZoneInfo) -> str:
        """A day and a time: `Friday, November 27, 14:30`."""
        local = when.astimezone(zone)
        return self("length.moment", day=self.day(local.date()), time=self.time(local, zone))

    def span(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """The day and the times of a stay: `Friday, November 27, 14:30 – 16:00`."""
        return self("length.moment", day=self.day(start.astimezone(zone).date()), time=self.times(start, end, zone))

    def length(self, minutes: int) -> str:
        """A duration: `1 h 30 min`, `1時間30分`."""
        hours, rest = divmod(minutes, 60)
        parts = [self("length.hours", count=hours)] if hours else []
        parts += [self("length.minutes", count=rest)] if rest or not hours else []
        return self("length.join").join(parts)

    def number(self, value: float, digits: int = 0) -> str:
        """`1,234`, or with so many digits after the point at most."""
        return str(
            format_decimal(round(value, digits), format="#,##0." + "#" * digits if digits else "#,##0", locale=self.locale)
        )

    def money(self, minor: int, currency: str) -> str:
        """`¥1,200`, `€12.00`."""
        return str(format_currency(minor / 10 ** MINOR_DIGITS[currency], currency, locale=self.locale))

    def power(self, watts: float) -> str:
        """The size of a power: `3.2 kW`."""
        return f"{self.number(abs(watts) / 1000, 1)} kW"

    def energy(self, watt_hours: float) -> str:
        """The size of an energy: `1.25 kWh`."""
        return f"{self.number(abs(watt_hours) / 1000, 2)} kWh"


def worth(words: Words, amount: int, kind: str, unit: str) -> str:
    """An amount of a benefit: points, a percentage, or money."""
    if kind == POINTS:
        return words.counted("benefit.points", amount)
    if kind == RATE_OFF:
        return words("benefit.rate", percent=words.number(amount / BP_A_PERCENT, 2))
    return words.money(amount, unit)


def instant(text: str) -> datetime:
    """An instant as the API writes it. Raises ValueError."""
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when


def _noon(when: date) -> datetime:
    return datetime(when.year, when.month, when.day, 12)  # noqa: DTZ001 - a day has no zone, and noon is that day in any
