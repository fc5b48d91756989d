"""What the user types: instants, JSON, TOML, time zones. What cannot be read is a usage error, exit status 2."""

import json
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from contracts.units import MINOR_DIGITS

ZoneOf = Callable[[], ZoneInfo]
StationId = Annotated[str, typer.Argument(metavar="ID", help="The station's OCPP identity.")]


def zone(name: str) -> ZoneInfo:
    """An IANA time zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # what zoneinfo raises for unknown names, odd names and folders
        raise typer.BadParameter(f"{name!r} is no time zone; take an IANA name such as Asia/Tokyo") from error


def instant(text: str, local: ZoneOf) -> datetime:
    """An instant in UTC: RFC 3339 with its zone, or a time of the zone that `local` finds out."""
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-06-03T14:00:00+09:00, or '2026-06-03 14:00' on the local clock"
        ) from error
    return (read if read.tzinfo else _on_the_clock(read, local())).astimezone(UTC)


def _on_the_clock(read: datetime, where: ZoneInfo) -> datetime:
    told = read.replace(tzinfo=where)
    if told.astimezone(UTC).astimezone(where).replace(tzinfo=None) != read:
        raise typer.BadParameter(f"the clocks of {where.key} skip {read:%Y-%m-%d %H:%M}")
    return told


def day(text: str | None) -> str | None:
    """A day as the API reads it; None when none is given."""
    try:
        return None if text is None else date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write 2026-06-03") from error


def position(text: str) -> dict[str, float]:
    """A position on the earth, in degrees."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no position; write 35.68,139.77") from error
    return {"latitude": latitude, "longitude": longitude}


def minor(amount: str, currency: str) -> int:
    """An amount of money in whole minor units."""
    if currency not in MINOR_DIGITS:
        raise typer.BadParameter(f"{currency!r} is not kept; take one of {', '.join(MINOR_DIGITS)}")
    try:
        scaled = Decimal(amount.replace(",", "")).scaleb(MINOR_DIGITS[currency])
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{amount!r} is no amount of money") from error
    if whole != scaled:
        raise typer.BadParameter(f"{amount} {currency} has too many decimals: {MINOR_DIGITS[currency]} are kept")
    return whole


def rfc3339(when: datetime) -> str:
    """As the API reads it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def is_file(text: str | None) -> bool:
    """Whether the words name a file: @file.json, or @- for standard input."""
    return text is not None and text.startswith("@")


def json_object(text: str) -> dict[str, Any]:
    """A JSON object, written out or in @file.json (@-: standard input)."""
    source = text[1:] if is_file(text) else "the JSON"
    try:
        content = json.loads(text_of(text))
    except ValueError as error:
        raise typer.BadParameter(f"{source} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise typer.BadParameter(f"{source} is not a JSON object {{…}}")
    return content


def toml_object(path: Path) -> dict[str, Any]:
    """What stands in a TOML file, with dates and times as the API reads them."""
    try:
        return {name: _plain(value) for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    except OSError as error:
        raise typer.BadParameter(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} is not TOML: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value.isoformat() if isinstance(value, date) else value


def text_of(text: str) -> str:
    """What is typed, or what stands in @file (@-: standard input)."""
    if text == "@-":
        return sys.stdin.read()
    if not is_file(text):
        return text
    try:
        return Path(text[1:]).read_text("utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {text[1:]}: {error.strerror}") from error
