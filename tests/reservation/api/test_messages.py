"""A member is told something by hand."""

import httpx
import pytest

from runtime.service import Host


async def test_a_message_stands_in_the_members_inbox(salon: httpx.AsyncClient, host: Host) -> None:
    body = {"subject": "Your code", "text": "123456", "minutes": 10}
    sent = await salon.post("/members/1001/messages", json=body)
    assert sent.status_code == 202
    await host.activity.settled()
    (notice,) = (await salon.get("/members/1001/notices")).json()
    assert notice["id"] == sent.json()["notice_id"]
    assert (notice["kind"], notice["text"], notice["state"]) == ("message", "123456", "kept")


async def test_nobody_can_be_told_nothing(salon: httpx.AsyncClient) -> None:
    assert (await salon.post("/members/nobody/messages", json={"text": "hello"})).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "x" * 2_001}, {"text": "x", "minutes": 0}, {"text": "x", "more": 1}]
)
async def test_a_bad_message_is_refused(salon: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await salon.post("/members/1001/messages", json=body)).status_code == 422
