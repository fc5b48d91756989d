"""The public keys of meters that sign: shown, given by an operator, forgotten when a meter was changed."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from csms import store
from csms.api.doors import Doors
from csms.domain.ocmf import public_key

Evse = Annotated[int, Path(ge=0, le=2**31 - 1)]


def _readable(text: str) -> str:
    public_key(text)
    return text


class MeterKey(BaseModel):
    """A meter's public key: DER in base64 or hex, or PEM."""

    model_config = ConfigDict(extra="forbid")

    public_key: Annotated[str, Field(min_length=1, max_length=2500), AfterValidator(_readable)]


def router(doors: Doors) -> APIRouter:
    """The routes."""
    api = APIRouter(tags=["sessions"])

    @api.get("/stations/{station_id}/meter-keys")
    async def list_keys(station_id: str) -> list[dict[str, Any]]:
        """The keys of a station's meters. One told by the station itself has proved right by a value that it signed."""
        name = (await doors.known(station_id))["id"]
        return [
            dict(row) for row in await doors.database.read(lambda connection: store.meter_keys.of_station(connection, name))
        ]

    @api.put("/stations/{station_id}/meter-keys/{evse_id}")
    async def put_key(station_id: str, evse_id: Evse, body: MeterKey) -> list[dict[str, Any]]:
        """Give the key of an EVSE's meter, as it stands on its label; values under another one are invalid from then on."""
        name, now = (await doors.known(station_id))["id"], doors.clock.now()
        await doors.database.write(
            lambda connection: store.meter_keys.put(connection, name, evse_id, body.public_key, "operator", now)
        )
        return await list_keys(station_id)

    @api.delete("/stations/{station_id}/meter-keys/{evse_id}", status_code=204)
    async def forget_key(station_id: str, evse_id: Evse) -> None:
        """The meter was changed: the next key that proves right is its."""
        name = (await doors.known(station_id))["id"]
        if not await doors.database.write(lambda connection: store.meter_keys.forget(connection, name, evse_id)):
            raise HTTPException(404, f"no key is known of the meter of EVSE {evse_id}")

    return api
