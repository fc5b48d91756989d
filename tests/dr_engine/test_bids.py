"""Offers, bids, awards: by HTTP, by files, over a restart; and what is learned from bookings that have passed."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dr_engine.filemarket import BadAnswer, FileMarket, read_answers
from dr_engine.store import bids, outcomes
from dr_engine.store.bids import Award
from runtime.bus.local import LocalBus
from runtime.clock import SimulatedClock
from runtime.service import Host
from tests.conftest import OpenDatabase
from tests.dr_engine.bench import FACILITY, START, Bench, FakeCsms, at, booking, engine, running_world, text, willing

pytestmark = pytest.mark.acceptance

START_MIN, END_MIN = 600, 720


async def filled(bench: Bench, cars: int = 12) -> None:
    """Guests of two hours in the afternoon."""
    for number in range(cars):
        await bench.csms.commission(f"CP{number}")
        await bench.host.bus.publish(
            booking(f"g{number}", at(START_MIN), at(END_MIN), station=f"CP{number}", wish=willing(soc=85, wanted=50))
        )


async def offered(bench: Bench, product: str = "jp-ra-up") -> dict[str, Any]:
    window = {"facility_id": FACILITY, "product": product, "from": text(at(START_MIN)), "to": text(at(END_MIN))}
    found: dict[str, Any] = (await bench.http.get("/api/dr/offer", params=window)).raise_for_status().json()
    return found


def bid_of(offer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    lines = [
        {"start": one["start"], "kw": one["offered_kw"], "price_minor_per_kw": 9}
        for one in offer["blocks"]
        if one["offered_kw"]
    ]
    return {"id": "bid1", "facility_id": FACILITY, "product": "jp-ra-up", "lines": lines, "submit": True} | changes


async def submitted(bench: Bench, **changes: Any) -> dict[str, Any]:
    made = await bench.http.post("/api/dr/bids", json=bid_of(await offered(bench), **changes))
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def test_S300_S302_from_the_offer_to_the_award(bench: Bench) -> None:
    await filled(bench)
    offer = await offered(bench)
    assert len(offer["blocks"]) == 4
    assert all(0 < one["offered_kw"] <= one["certain_kw"] for one in offer["blocks"])
    bid = await submitted(bench)
    assert bid["state"] == "submitted"
    assert [one["held_kw"] for one in (await offered(bench))["blocks"]] == [line["kw"] for line in bid["lines"]]
    won = (await bench.http.post("/api/dr/bids/bid1/award", json={})).json()
    assert won["state"] == "awarded"
    again = await bench.http.post("/api/dr/bids/bid1/award", json={})
    assert (again.status_code, again.json()) == (200, won)
    assert (await bench.http.post("/api/dr/bids/bid1/refuse", json={})).status_code == 409
    window = {"facility_id": FACILITY, "from": text(at(0)), "to": text(at(1440))}
    rows = (await bench.http.get("/api/dr/awards", params=window)).json()
    assert [(one["awarded_kw"], one["price_minor_per_kw"], one["currency"], one["direction"]) for one in rows] == [
        (line["kw"], 9, "JPY", "up") for line in bid["lines"]
    ]


async def test_S302_what_is_sold_is_not_sold_twice(bench: Bench) -> None:
    await filled(bench)
    full = bid_of(await offered(bench))
    await submitted(bench)
    second = await bench.http.post("/api/dr/bids", json=full | {"id": "bid2"})
    assert second.status_code == 409
    assert "kW can be offered" in second.json()["detail"]
    assert (await bench.http.get("/api/dr/bids/bid2")).json()["state"] == "draft"
    down = await offered(bench, "jp-ra-down")
    assert [one["offered_kw"] for one in down["blocks"]] == [0, 0, 0, 0]
    await bench.http.post("/api/dr/bids/bid1/refuse", json={"note": "too dear"})
    assert (await bench.http.post("/api/dr/bids/bid2/submit")).json()["state"] == "submitted"


async def test_S302_of_two_bids_at_once_one_is_taken(bench: Bench) -> None:
    await filled(bench)
    full = bid_of(await offered(bench))
    posts = [bench.http.post("/api/dr/bids", json=full | {"id": f"bid{n}"}) for n in range(3)]
    answers = await asyncio.gather(*posts)
    assert sorted(one.status_code for one in answers) == [201, 409, 409]


async def test_S302_a_part_may_be_awarded_and_the_rest_is_free(bench: Bench) -> None:
    await filled(bench)
    bid = await submitted(bench)
    line = bid["lines"][1]
    part = {"lines": [{"start": line["start"], "kw": 3, "price_minor_per_kw": 11}]}
    won = (await bench.http.post("/api/dr/bids/bid1/award", json=part)).json()
    assert (won["state"], [one["awarded_kw"] for one in won["awards"]]) == ("partly", [3])
    assert won["awards"][0]["price_minor_per_kw"] == 11
    left = (await offered(bench))["blocks"]
    assert [one["held_kw"] for one in left] == [0, 3, 0, 0]
    other = {"lines": [{"start": line["start"], "kw": 2}]}
    assert (await bench.http.post("/api/dr/bids/bid1/award", json=other)).status_code == 409


@pytest.mark.parametrize(
    ("award", "told"),
    [
        ({"lines": []}, "at least one block"),
        ({"lines": [{"start": "2026-06-03T10:00:00Z", "kw": 9999}]}, "9999 kW awarded"),
        ({"lines": [{"start": "2026-06-03T10:10:00Z", "kw": 1}]}, "no line of the bid"),
        ({"lines": [{"start": "2026-06-03T10:00:00Z", "kw": 1, "price_minor_per_kw": 1}]}, "below the price bid"),
        ({"lines": [{"start": "2026-06-03T10:00:00", "kw": 1}]}, "timezone"),
        ({"lines": [{"start": "2026-06-03T10:00:00Z", "kw": -1}]}, "greater"),
    ],
)
async def test_S302_bad_awards_are_refused_and_change_nothing(bench: Bench, award: dict[str, Any], told: str) -> None:
    await filled(bench)
    await submitted(bench)
    answer = await bench.http.post("/api/dr/bids/bid1/award", json=award)
    assert answer.status_code == 422
    assert told in answer.text
    assert (await bench.http.get("/api/dr/bids/bid1")).json()["state"] == "submitted"


LINE = {"start": "2026-06-03T10:00:00Z", "kw": 5, "price_minor_per_kw": 9}


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"lines": []}, 422, "no lines"),
        ({"lines": [LINE, LINE]}, 422, "twice"),
        ({"lines": [LINE | {"start": "2026-06-03T10:10:00Z"}]}, 422, "whole multiples"),
        ({"lines": [LINE | {"kw": 0}]}, 422, "least bid"),
        ({"lines": [LINE | {"kw": 2.5}]}, 422, "integer"),
        ({"lines": [LINE | {"price_minor_per_kw": -1}]}, 422, "greater"),
        ({"lines": [LINE | {"kw": 1000, "price_minor_per_kw": 16}], "product": "jp-rr"}, 422, "price cap of 15"),
        ({"lines": [LINE], "product": "gold"}, 404, "no product gold"),
        ({"lines": [LINE], "facility_id": "nowhere"}, 404, "no bookings"),
        ({"lines": [LINE | {"start": "2026-06-03T00:30:00Z"}]}, 409, "gate of jp-ra-up closed"),
        ({"lines": [LINE | {"kw": 5000}]}, 409, "5000 kW bid"),
    ],
)
async def test_S302_bad_bids_are_refused_with_a_sentence(
    bench: Bench, changes: dict[str, Any], status: int, told: str
) -> None:
    await filled(bench, 3)
    body = {"id": "bad", "facility_id": FACILITY, "product": "jp-ra-up", "submit": True} | changes
    answer = await bench.http.post("/api/dr/bids", json=body)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert all(one["state"] != "submitted" for one in (await bench.http.get("/api/dr/bids")).json())


async def test_S302_a_bid_known_with_another_content_clashes(bench: Bench) -> None:
    await filled(bench, 3)
    body = {"id": "b", "facility_id": FACILITY, "product": "jp-ra-up", "lines": [LINE]}
    assert (await bench.http.post("/api/dr/bids", json=body)).status_code == 201
    assert (await bench.http.post("/api/dr/bids", json=body)).status_code == 200
    assert (await bench.http.post("/api/dr/bids", json=body | {"lines": [LINE | {"kw": 6}]})).status_code == 409
    assert (await bench.http.get("/api/dr/bids/none")).status_code == 404
    assert (await bench.http.post("/api/dr/bids/none/award", json={})).status_code == 404
    assert (await bench.http.post("/api/dr/bids/b/award", json={})).status_code == 409


async def test_S302_drafts_expire_at_their_gate_and_bids_at_their_block(bench: Bench) -> None:
    await filled(bench)
    await submitted(bench)
    draft = {"id": "draft", "facility_id": FACILITY, "product": "jp-ra-up", "lines": [LINE]}
    await bench.http.post("/api/dr/bids", json=draft)
    await bench.until(at(START_MIN - 58))
    states = {one["bid_id"]: one["state"] for one in (await bench.http.get("/api/dr/bids")).json()}
    assert states == {"bid1": "submitted", "draft": "expired"}
    await bench.until(at(START_MIN + 1))
    assert (await bench.http.get("/api/dr/bids/bid1")).json()["state"] == "expired"
    assert (await bench.http.post("/api/dr/bids/bid1/award", json={})).status_code == 409


async def test_S302_awards_and_bids_outlive_a_restart(
    host: Host, clock: SimulatedClock, open_database: OpenDatabase
) -> None:
    database, csms = await open_database("dr"), FakeCsms(host)
    async with running_world(csms), engine(host, clock, database, csms) as bench:
        await filled(bench)
        await submitted(bench)
        await bench.http.post("/api/dr/bids/bid1/award", json={})
        before = (await bench.http.get("/api/dr/bids")).json(), await offered(bench)
        reborn = Host(clock, LocalBus(activity=host.activity, log=host.log), host.activity, host.log, host.supervisor)
        csms.attach(reborn)
    async with engine(reborn, clock, database, csms) as bench:
        assert ((await bench.http.get("/api/dr/bids")).json(), await offered(bench)) == before


async def test_S300_the_engine_learns_from_who_came(bench: Bench) -> None:
    await bench.arrive(1)
    await bench.csms.commission("CP2")
    await bench.host.bus.publish(booking("ghost", station="CP2"))
    await bench.until(at(170))
    await bench.csms.unplug("CP1", "guest1")
    await bench.until(at(215))
    seen = await bench.database.read(lambda connection: outcomes.of_facility(connection, FACILITY))
    came = {one.member_id: one for one in seen}
    assert (came["m-guest1"].came, came["m-guest1"].plugged_out_at) == (True, at(170))
    assert (came["m-ghost"].came, came["m-ghost"].lead_s) == (False, 0.0)
    told = (await bench.http.get("/api/dr/outcomes", params={"facility_id": FACILITY})).json()
    assert (told["bookings"], told["came"]) == (2, 1)
    assert told["shows"] < 0.88


async def test_S300_a_new_facility_learns_from_its_past(bench: Bench) -> None:
    past = [
        {
            "booking_id": f"old{n}",
            "member_id": f"m{n}",
            "start": text(START - timedelta(days=n + 1)),
            "end": text(START - timedelta(days=n + 1) + timedelta(hours=1)),
            "came": n % 2 == 0,
        }
        for n in range(100)
    ]
    answer = await bench.http.post("/api/dr/outcomes", json={"facility_id": "new", "outcomes": past})
    assert answer.json()["shows"] == pytest.approx(0.54, abs=0.03)
    backwards = [past[0] | {"end": past[0]["start"]}]
    bad = await bench.http.post("/api/dr/outcomes", json={"facility_id": "new", "outcomes": backwards})
    assert (bad.status_code, "ends before it starts" in bad.text) == (422, True)


# The market of files --------------------------------------------------------------------------------------------------


def market_of(bench: Bench, folder: Path) -> FileMarket:
    return FileMarket(folder, bench.database, bench.clock, bench.host.log, lambda: None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_S302_bids_go_out_and_awards_come_in_as_files(bench: Bench, tmp_path: Path) -> None:
    market, folder = market_of(bench, tmp_path / "market"), tmp_path / "market"
    await filled(bench)
    bid = await submitted(bench)
    await market.exchange()
    written = json.loads((folder / "bids" / "bid1.json").read_text("utf-8"))
    assert [line["kw"] for line in written["lines"]] == [line["kw"] for line in bid["lines"]]
    first = written["lines"][0]
    content = f"bid_id,decision,start,kw,price_minor_per_kw\nbid1,award,{first['start']},2,10\n"
    (folder / "answers" / "a.csv").write_text(content, "utf-8")
    (folder / "answers" / ".b.json.part").write_text("half", "utf-8")
    await market.exchange()
    assert names(folder / "taken") == ["a.csv"]
    assert names(folder / "answers") == [".b.json.part"]
    won = await bench.database.read(lambda connection: bids.get(connection, "bid1").awards)
    assert won == (Award("bid1", at(600), at(630), FACILITY, "jp-ra-up", "up", 2, 10, "JPY", 0),)
    (folder / "answers" / "a.csv").write_text(content, "utf-8")
    await market.exchange()
    assert names(folder / "taken") == ["a-2.csv", "a.csv"]


async def test_S302_a_refusal_in_a_file(bench: Bench, tmp_path: Path) -> None:
    market = market_of(bench, tmp_path)
    await filled(bench)
    await submitted(bench)
    await market.exchange()
    answer = {"bid_id": "bid1", "decision": "refuse", "note": "not needed"}
    (tmp_path / "answers" / "r.json").write_text(json.dumps(answer), "utf-8")
    await market.exchange()
    assert (await bench.http.get("/api/dr/bids/bid1")).json()["note"] == "not needed"


async def test_S302_bad_files_are_set_aside_with_the_reason_and_none_is_lost(bench: Bench, tmp_path: Path) -> None:
    market = market_of(bench, tmp_path)
    await filled(bench)
    await submitted(bench)
    await market.exchange()
    bad = {
        "half.json": '{"bid_id": "bid1", ',
        "other.json": '{"bid_id": "bid9", "decision": "award"}',
        "more.json": '{"bid_id": "bid1", "decision": "maybe"}',
        "late.txt": "bid1 won",
        "both.csv": "bid_id,decision,start\nbid1,award,2026-06-03T10:00:00Z\nbid1,refuse,\n",
    }
    for name, content in bad.items():
        (tmp_path / "answers" / name).write_text(content, "utf-8")
    (tmp_path / "answers" / "octets.json").write_bytes(b"\xff\xfe\x00")
    await market.exchange()
    assert names(tmp_path / "answers") == []
    aside = names(tmp_path / "aside")
    assert [name for name in aside if not name.endswith(".reason.txt")] == sorted([*bad, "octets.json"])
    assert "there is no bid bid9" in (tmp_path / "aside" / "other.json.reason.txt").read_text("utf-8")
    assert (await bench.http.get("/api/dr/bids/bid1")).json()["state"] == "submitted"


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b'"x"', b"null"])
def test_S302_what_is_no_answer_says_so(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answers("x.json", content)


async def test_the_service_is_its_http_door(bench: Bench) -> None:
    listed: httpx.Response = await bench.http.get("/api/dr/products")
    assert "jp-rr" in [one["code"] for one in listed.json()]
    window = {"facility_id": FACILITY, "product": "jp-rr", "from": text(at(0)), "to": text(at(60))}
    assert (await bench.http.get("/api/dr/offer", params=window)).status_code == 404
    assert (await bench.http.get("/api/dr/offer", params=window | {"to": text(at(0))})).status_code == 422
