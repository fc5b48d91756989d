"""The ledger over HTTP."""

from functools import partial

import httpx
import pytest

from reservation.domain.ledger import POINTS, Entry, transfer
from reservation.store import ledger
from runtime.storage.database import Database
from tests.reservation.samples import NOW


async def test_entries_come_in_pages(http: httpx.AsyncClient, database: Database) -> None:
    for number in range(5):
        entry = Entry(f"k{number}", NOW, "", POINTS, transfer("facility/f/points", "member/m/points", number + 1))
        await database.write(partial(ledger.post, entry=entry))
    keys, after = [], 0
    while after is not None:
        page = (await http.get("/ledger", params={"after": after, "limit": 2})).json()
        keys += [entry["key"] for entry in page["entries"]]
        after = page["next_after"]
    assert keys == [f"k{number}" for number in range(5)]
    assert (await http.get("/ledger/accounts")).json() == [
        {"account": "facility/f/points", "unit": "points", "amount": -15},
        {"account": "member/m/points", "unit": "points", "amount": 15},
    ]


async def test_an_empty_ledger_is_sound(http: httpx.AsyncClient) -> None:
    assert (await http.get("/ledger")).json() == {"entries": [], "next_after": None}
    assert (await http.get("/ledger/verify")).json() == {"ok": True, "entries": 0, "faults": []}


async def test_X3_a_member_below_zero_is_a_fault(http: httpx.AsyncClient, database: Database) -> None:
    entry = Entry("k", NOW, "", POINTS, transfer("member/m/points", "facility/f/points", 3))
    await database.write(lambda connection: ledger.post(connection, entry))
    verdict = (await http.get("/ledger/verify")).json()
    assert (verdict["ok"], verdict["entries"]) == (False, 1)
    assert "member/m/points is -3 points, below zero" in verdict["faults"]


@pytest.mark.parametrize(
    "query", [{"after": "-1"}, {"after": "x"}, {"after": str(2**63)}, {"limit": "0"}, {"limit": "1001"}]
)
async def test_a_bad_page_is_refused(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await http.get("/ledger", params=query)).status_code == 422
