"""The fields that requests are made of, each with its bounds."""

import re
from datetime import time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
)
from pydantic import StringConstraints as Limits

from reservation.domain.hours import OpenTime
from reservation.domain.member import phone_number

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
CLOCK_TIME = re.compile(r"\d\d:\d\d")
OPEN_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


class Asked(BaseModel):
    """The base of all request bodies: an unknown field is refused, since it is most likely a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """The base of all answers; made of the domain's values."""

    model_config = ConfigDict(from_attributes=True)


def _instant(value: Any) -> Any:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("an instant is RFC 3339 with a time zone, such as 2026-06-03T10:00:00+09:00")
    if not "2000" <= value[:4] <= "2199":
        raise ValueError("the year is outside 2000-2199")
    return value


def _clock_time(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not CLOCK_TIME.fullmatch(value):
        raise ValueError("a local time is HH:MM, 00:00 to 23:59; midnight is 00:00")
    return value


def _open_time(value: Any) -> Any:
    if isinstance(value, OpenTime):
        return value
    if not isinstance(value, str) or not OPEN_TIME.fullmatch(value):
        raise ValueError("opening hours are HH:MM-HH:MM, each 00:00 to 23:59; midnight is 00:00")
    opens, closes = value.split("-")
    return OpenTime(time.fromisoformat(opens), time.fromisoformat(closes))


def _phone(value: str) -> str:
    if not (number := phone_number(value)):
        raise ValueError("a phone number has digits, after a + if it begins with the country, such as +81 90 1234 5678")
    return number


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("control characters are not text")
    return value


Id = Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=48)]
Text = Annotated[str, Limits(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)]
ModelId = Annotated[str, Limits(pattern=r"^[0-9a-f]{16}$")]
Called = Annotated[str, Limits(strip_whitespace=True, max_length=300), AfterValidator(_printable)]
Number = Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
Phone = Annotated[str, Limits(max_length=32), AfterValidator(_phone)]
Email = Annotated[str, Limits(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254), AfterValidator(_printable)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
LocalTime = Annotated[time, BeforeValidator(_clock_time), PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str)]
OpenTimes = Annotated[
    list[Annotated[OpenTime, PlainValidator(_open_time, json_schema_input_type=str), PlainSerializer(str)]],
    Field(max_length=20),
]
Plugs = Annotated[list[Annotated[str, Limits(to_lower=True, pattern=r"^[A-Za-z0-9_-]{1,20}$")]], Field(max_length=10)]
Yes = Annotated[bool, Field(strict=True)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Watts = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
PositiveWatts = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
WattHours = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Consumption = Annotated[int, Field(strict=True, ge=0, le=2_000)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
Kilometres = Annotated[float, Field(strict=True, ge=0, le=5_000, allow_inf_nan=False)]


class PeriodAnswer(Answer):
    """From `start` up to and without `end`, UTC."""

    start: AwareDatetime
    end: AwareDatetime
