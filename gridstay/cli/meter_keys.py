"""`gridstay station meter-key`: the public keys of the meters that sign what they count."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.command import Operator, command
from gridstay.cli.given import StationId
from gridstay.cli.show import Row

meter_key = typer.Typer(help="The public keys of meters that sign what they count.", no_args_is_help=True)
Evse = Annotated[int, typer.Argument(min=0, metavar="EVSE", help="The EVSE whose meter it is; 0 is the station's own.")]


@command(meter_key, "list")
def list_keys(operator: Operator, station_id: StationId) -> None:
    """The keys of a station's meters."""
    answer = operator.client.get("stations", station_id, "meter-keys")
    operator.show(answer, lambda: _keys(answer, operator.zone_of(None)))


@command(meter_key, "set")
def set_key(
    operator: Operator,
    station_id: StationId,
    evse_id: Evse,
    key: Annotated[str, typer.Argument(metavar="KEY", help="DER in base64 or hex; or @FILE, also PEM.")],
) -> None:
    """Give the key of a meter, as it stands on its label: what is signed under another one is invalid from then on."""
    body = {"public_key": given.text_of(key).strip()}
    answer = operator.client.put("stations", station_id, "meter-keys", str(evse_id), body=body)
    operator.show(answer, lambda: _keys(answer, operator.zone_of(None)))


@command(meter_key, "forget")
def forget(operator: Operator, station_id: StationId, evse_id: Evse) -> None:
    """The meter was changed: the next key that proves right is its."""
    operator.client.delete("stations", station_id, "meter-keys", str(evse_id))
    operator.show(None, lambda: show.heading(f"The key of EVSE {evse_id} of {station_id} is forgotten."))


def _keys(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "EVSE": lambda row: row["evse_id"],
        "told by": lambda row: row["source"],
        f"since ({zone.key})": lambda row: show.when(row["known_since"], zone),
        "key": lambda row: row["public_key"],
    }
    return show.table(rows, columns, nothing="No key is known: what its meters sign cannot be checked.")
