"""`gridstay member`: guests with an account, over HTTP."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.client import CliError
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row
from gridstay.cli.stays import helps

member = typer.Typer(help="Guests with an account.", no_args_is_help=True)

TOKEN_TYPE = "ISO14443"
_CHARGE_KW = 6.0


@command(member, "add")
def add_member(
    operator: Operator,
    number: Annotated[str, typer.Argument(metavar="NUMBER|@FILE", help="The member's number, or all of it as JSON.")],
    name: Annotated[str | None, typer.Option(help="The member's name.")] = None,
    phone: Annotated[str | None, typer.Option(help="With the country, such as +81 90 1234 5678.")] = None,
    email: Annotated[str | None, typer.Option(help="Address.")] = None,
    card: Annotated[list[str] | None, typer.Option(metavar="VALUE[/TYPE]", help="Card or tag, as often as wanted.")] = None,
    model: Annotated[
        str | None, typer.Option("--car-model", help="The car's model: an id of `gridstay car search`.")
    ] = None,
    battery: Annotated[float | None, typer.Option("--battery-kwh", min=0.001, help="The car's usable battery.")] = None,
    charge: Annotated[
        float | None,
        typer.Option("--charge-kw", min=0.001, help="Its greatest charging power. [default: the model's, or 6]"),
    ] = None,
    discharge: Annotated[
        float | None,
        typer.Option("--discharge-kw", min=0, help="Its greatest discharging power. [default: the model's, or 0]"),
    ] = None,
    dr: Annotated[bool, typer.Option("--dr/--no-dr", help="The car may help the grid.")] = False,
    may_discharge: Annotated[bool, typer.Option("--discharge/--no-discharge", help="It may give power.")] = False,
    wanted: Annotated[int, typer.Option("--wanted", min=0, max=100, help="Percent wanted at the end of a stay.")] = 80,
    floor: Annotated[int, typer.Option("--floor", min=0, max=100, help="Percent never to go below.")] = 20,
) -> None:
    """Add a member. Taking part and discharging need the member's yes: --dr, --discharge."""
    if given.is_file(number):
        body = given.json_object(number)
    else:
        if name is None:
            raise typer.BadParameter("a member has a name: give --name, or the whole member as @file.json")
        body = {
            "number": number,
            "name": name,
            "phone": phone,
            "email": email,
            "tokens": [_card(text) for text in card or ()],
            "car": _car(model, battery, charge, discharge),
            "preferences": {"dr": dr, "discharge": may_discharge, "wanted_soc_pct": wanted, "floor_soc_pct": floor},
        }
    answer = operator.client.post("members", body={name: value for name, value in body.items() if value is not None})
    operator.show(answer, lambda: _member(answer, operator.zone_of(None)))


@command(member, "car")
def set_car(
    operator: Operator,
    identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")],
    model: Annotated[str | None, typer.Option("--model", help="An id of `gridstay car search`.")] = None,
    battery: Annotated[float | None, typer.Option("--battery-kwh", min=0.001, help="Usable battery.")] = None,
    charge: Annotated[float | None, typer.Option("--charge-kw", min=0.001, help="Greatest charging power.")] = None,
    discharge: Annotated[float | None, typer.Option("--discharge-kw", min=0, help="Greatest discharging power.")] = None,
    none: Annotated[bool, typer.Option("--none", help="No car any more.")] = False,
) -> None:
    """A member's car from now on: a model, with figures that are known better, or figures alone."""
    car = _car(model, battery, charge, discharge)
    if (car is None) != none:
        raise typer.BadParameter("give --model or --battery-kwh, or --none for no car any more")
    answer = operator.client.patch("members", identity, body={"car": car})
    operator.show(answer, lambda: _member(answer, operator.zone_of(None)))


@command(member, "consent")
def agree(
    operator: Operator,
    identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")],
    dr: Annotated[bool | None, typer.Option("--dr/--no-dr", help="The car may help the grid.")] = None,
    may_discharge: Annotated[bool | None, typer.Option("--discharge/--no-discharge", help="It may give power.")] = None,
    wanted: Annotated[int | None, typer.Option("--wanted", min=0, max=100, help="Percent wanted at the end.")] = None,
    floor: Annotated[int | None, typer.Option("--floor", min=0, max=100, help="Percent never to go below.")] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(help="What the data may be used for, all of it: stays, charging, offers; as often as wanted."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="The version of the text that was agreed to.")] = None,
    means: Annotated[str, typer.Option(help="How it was said: staff, phone, paper, page.")] = "staff",
) -> None:
    """Record what a member agrees to, or no longer does; stays to come are narrowed to it. Without options: the record."""
    told = {
        "dr": dr,
        "discharge": may_discharge,
        "wanted_soc_pct": wanted,
        "floor_soc_pct": floor,
        "purposes": purpose or None,
        "text_version": text,
    }
    said = {name: value for name, value in told.items() if value is not None}
    if said:
        operator.client.post("members", identity, "consents", body={**said, "means": means})
    answer = operator.client.get("members", identity, "consents")
    operator.show(answer, lambda: _consents(answer, operator.zone_of(None)))


@command(member, "consent-text")
def consent_text(
    operator: Operator,
    version: Annotated[str | None, typer.Argument(help="Its version, such as 2026-11; none: all texts.")] = None,
    given_texts: Annotated[
        list[str] | None, typer.Option("--text", metavar="LANGUAGE=FILE", help="en=FILE, ja=FILE; as often as wanted.")
    ] = None,
) -> None:
    """Keep the text that members agree to, under a version that stays what it is."""
    if version is not None:
        texts = {name: given.text_of(f"@{path}") for name, _, path in (text.partition("=") for text in given_texts or ())}
        operator.client.put("consent-texts", version, body={"texts": texts})
    answer = operator.client.get("consent-texts")
    operator.show(answer, lambda: _texts(answer, operator.zone_of(None)))


@command(member, "show")
def show_member(
    operator: Operator, identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")]
) -> None:
    """One member with points, and all that the member was told."""
    answer = operator.client.get("members", identity)
    operator.show(answer, lambda: _member(answer, operator.zone_of(None)))


@command(member, "export")
def export(
    operator: Operator, identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")]
) -> None:
    """All that is kept of a member, as JSON, for the member."""
    show.as_json(operator.client.get("members", identity, "data"))


@command(member, "erase")
def erase(
    operator: Operator,
    identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")],
    sure: Annotated[bool, typer.Option("--yes", help="Yes, for ever.")] = False,
) -> None:
    """Forget a person for ever; past stays, receipts and the ledger stay without the name."""
    if not sure:
        raise CliError("this cannot be undone; say --yes")
    operator.client.delete("members", identity)
    operator.show({"erased": identity}, lambda: show.facts({"erased": identity}))


@command(member, "list")
def list_members(operator: Operator) -> None:
    """All members, by number."""
    answer = operator.client.get("members")
    operator.show(answer, lambda: _members(answer))


def _card(text: str) -> dict[str, str]:
    value, _, kind = text.partition("/")
    return {"value": value, "type": kind or TOKEN_TYPE}


def _car(
    model_id: str | None, battery_kwh: float | None, charge_kw: float | None, discharge_kw: float | None
) -> dict[str, str | int] | None:
    """A car by its model or by its battery, with what is known better; None without either."""
    if model_id is None and battery_kwh is None:
        return None
    figures = {
        "battery_wh": battery_kwh,
        "max_charge_w": _CHARGE_KW if charge_kw is None and model_id is None else charge_kw,
        "max_discharge_w": discharge_kw,
    }
    told = {name: round(1000 * value) for name, value in figures.items() if value is not None}
    return {"model_id": model_id, **told} if model_id is not None else {**told}


def _consents(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        f"from ({zone.key})": lambda row: show.when(row["at"], zone),
        "helps the grid": helps,
        "charge": lambda row: f"{row['wanted_soc_pct']} % wanted, never below {row['floor_soc_pct']} %",
        "data for": lambda row: None if row["purposes"] is None else ", ".join(row["purposes"]) or "nothing",
        "text": lambda row: row["text_version"],
        "by": lambda row: row["means"],
    }
    return show.table(rows, columns, nothing="Nothing was recorded.")


def _texts(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "version": lambda row: row["version"],
        f"from ({zone.key})": lambda row: show.when(row["made_at"], zone),
        "languages": lambda row: ", ".join(sorted(row["texts"])),
    }
    return show.table(rows, columns, nothing="There is no text yet.")


def _members(rows: list[Row]) -> RenderableType:
    columns = {
        "number": lambda row: row["number"],
        "name": lambda row: row["name"],
        "phone": lambda row: row["phone"],
        "cards": lambda row: ", ".join(token["value"] for token in row["tokens"]) or None,
        "battery kWh": lambda row: row["car"] and show.kilo(row["car"]["battery_wh"]),
        "helps": lambda row: helps(row["preferences"]),
        "points": lambda row: f"{row['points']:,}",
    }
    return show.table(rows, columns, nothing="There are no members; `gridstay member add` makes one.")


def _member(row: Row, zone: ZoneInfo) -> RenderableType:
    car, prefers = row["car"], row["preferences"]
    called = f"{car['name']}, " if car and car.get("name") else ""
    told = {
        f"at ({zone.key})": lambda one: show.when(one["at"], zone),
        "told": lambda one: one["text"],
    }
    shown = show.facts(
        {
            "number": row["number"],
            "name": row["name"],
            "id": row["id"],
            "phone": row["phone"],
            "e-mail": row["email"],
            "cards": ", ".join(f"{token['value']} ({token['type']})" for token in row["tokens"]),
            "car": car
            and f"{called}{show.kilo(car['battery_wh'])} kWh, charges {show.kilo(car['max_charge_w'])} kW, "
            f"discharges {show.kilo(car['max_discharge_w'])} kW",
            "helps the grid": helps(prefers),
            "charge": f"{prefers['wanted_soc_pct']} % wanted, never below {prefers['floor_soc_pct']} %",
            "points": f"{row['points']:,}",
        }
    )
    return show.parts(shown, show.table(row["notices"], told, nothing="Nothing told yet.")) if "notices" in row else shown
