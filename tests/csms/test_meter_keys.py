"""Signed registers from the station to the bus, and the keys of the meters."""

from contracts.csms import SessionsMetered, Signature
from tests.csms.blocks.test_transactions import listen
from tests.csms.cases.played import Played, put_tokens, register
from tests.csms.conftest import Csms
from tests.csms.domain.signing import Meter

METER, OTHER = Meter(), Meter()


async def test_X3_registers_are_told_with_what_their_signatures_are_worth(csms: Csms) -> None:
    await csms.register()
    await put_tokens(csms)
    heard = listen(csms, SessionsMetered)
    async with csms.station() as station:
        await station.boot()
        played = Played(station)
        await played.charging()
        for values in (
            register(1_000, 3),
            register(1_100, 4, signedMeterValue=METER.signed(1.1, key=False)),
            register(1_200, 5, signedMeterValue=METER.signed(1.2)),
            register(1_300, 6, signedMeterValue=METER.signed(1.3, key=False)),
            register(1_400, 7, signedMeterValue=OTHER.signed(1.4)),
            register(1_500, 8, signedMeterValue=METER.signed(1.6)),
        ):
            await station.ask("MeterValues", {"evseId": 1, "meterValue": [values]})
        await csms.host.activity.settled()
    (known,) = await csms.told("/stations/CP1/meter-keys")
    assert (known["evse_id"], known["public_key"], known["source"]) == (1, METER.public_key, "station")
    told = [one for event in heard if isinstance(event, SessionsMetered) for one in event.readings]
    found = [one.signature for one in sorted(told, key=lambda one: one.at)]  # events of registers come in any order
    assert found[-6:] == [
        Signature.UNSIGNED,
        Signature.SIGNED,
        Signature.VALID,
        Signature.VALID,
        Signature.INVALID,
        Signature.INVALID,
    ]


async def test_X3_a_key_proves_right_before_it_is_kept(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        values = [register(1_000, 5, signedMeterValue=METER.signed(2.0))]
        await station.ask("MeterValues", {"evseId": 1, "meterValue": values})
    assert await csms.told("/stations/CP1/meter-keys") == []


async def test_X3_an_operator_gives_the_key_on_the_label_and_forgets_it(csms: Csms) -> None:
    await csms.register()
    path = "/stations/CP1/meter-keys/1"
    given = await csms.http.put(path, json={"public_key": METER.pem})
    assert (given.status_code, [row["source"] for row in given.json()]) == (200, ["operator"])
    refused = await csms.http.put(path, json={"public_key": "a key"})
    assert (refused.status_code, "no elliptic curve key" in refused.text) == (422, True)
    assert (await csms.http.delete(path)).status_code == 204
    assert (await csms.http.delete(path)).status_code == 404
    assert (await csms.http.get("/stations/CP9/meter-keys")).status_code == 404
