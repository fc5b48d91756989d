"""The VTN's door as we use it: credentials, pages, tags, and what kind of failure is which."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dr_engine.ven.client import Declined, Unavailable, VtnClient
from dr_engine.ven.metrics import VenMetrics
from dr_engine.ven.settings import VenSettings
from protocols.openadr.objects import Event, Report
from protocols.openadr.wire import MOST_OCTETS
from runtime.clock import SimulatedClock

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
Answer = Callable[[httpx.Request], httpx.Response]


def client_of(answer: Answer, clock: SimulatedClock, **more: Any) -> VtnClient:
    given = {
        "url": "http://127.0.0.1:1/openadr3/",
        "client_id": "us",
        "client_secret": "hush",
        "programs": [{"name": "p", "facility": "f"}],
    }
    return VtnClient(VenSettings.model_validate(given | more), clock, VenMetrics(clock), httpx.MockTransport(answer))


def vtn(answer: Answer, tokens: list[httpx.Request] | None = None) -> Answer:
    """A VTN that gives tokens, and answers all else as it is told."""

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/openadr3/auth/server":
            return httpx.Response(200, json={"tokenURL": "http://127.0.0.1:1/tokens"})
        if request.url.path == "/tokens":
            if tokens is not None:
                tokens.append(request)
            return httpx.Response(200, json=TOKEN)
        return answer(request)

    return answered


@pytest.mark.parametrize("how", ["basic", "body"])
async def test_X5_credentials_are_given_as_the_vtn_wants_them(clock: SimulatedClock, how: str) -> None:
    tokens: list[httpx.Request] = []
    client = client_of(vtn(lambda _: httpx.Response(200, json=[]), tokens), clock, token_auth=how)
    assert await client.search("/events", {}) == []
    assert await client.search("/events", {}) == []
    (request,) = tokens
    form = request.content.decode()
    basic = "Basic " + base64.b64encode(b"us:hush").decode()
    if how == "basic":
        assert (request.headers["Authorization"], form) == (basic, "grant_type=client_credentials")
    else:
        assert "Authorization" not in request.headers
        assert form == "grant_type=client_credentials&client_id=us&client_secret=hush"


async def test_X5_a_refused_token_is_renewed_once(clock: SimulatedClock) -> None:
    tokens: list[httpx.Request] = []
    statuses = [401, 200, 401, 401]
    client = client_of(vtn(lambda _: httpx.Response(statuses.pop(0), json=[]), tokens), clock)
    assert await client.search("/events", {}) == []
    with pytest.raises(Declined) as refusal:
        await client.search("/events", {})
    assert refusal.value.status == 401
    assert len(tokens) == 3


async def test_X5_pages_are_read_to_the_end_and_unchanged_ones_not_again(clock: SimulatedClock) -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        skip, tag = int(request.url.params["skip"]), request.headers.get("If-None-Match")
        asked.append((request.url.params["skip"], tag))
        if tag == f'"{skip}"':
            return httpx.Response(304)
        return httpx.Response(
            200, json=[{"id": str(n)} for n in range(skip, min(skip + 50, 70))], headers={"ETag": f'"{skip}"'}
        )

    client = client_of(vtn(answer), clock)
    first = await client.search("/events", {"programID": "p"})
    assert len(first) == 70
    assert await client.search("/events", {"programID": "p"}) == first
    assert asked == [("0", None), ("50", None), ("0", '"0"'), ("50", '"50"')]


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), 7.0),
        (httpx.Response(503, headers={"Retry-After": "Wed, 03 Jun 2026 00:00:30 GMT"}), 30.0),
        (httpx.Response(503, headers={"Retry-After": "999999999999999"}), 300.0),
        (httpx.Response(500, headers={"Retry-After": "soon"}), None),
        (httpx.Response(502, content=b"<html>"), None),
    ],
)
async def test_X5_overload_and_failure_can_be_waited_for(
    clock: SimulatedClock, answer: httpx.Response, wait_s: float | None
) -> None:
    with pytest.raises(Unavailable) as failure:
        await client_of(vtn(lambda _: answer), clock).search("/events", {})
    assert failure.value.wait_s == wait_s


async def test_X5_nobody_there_can_be_waited_for(clock: SimulatedClock) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    with pytest.raises(Unavailable, match="too slow"):
        await client_of(vtn(broken), clock).search("/events", {})
    with pytest.raises(Unavailable):
        await client_of(broken, clock).search("/events", {})


HOSTILE = {
    "no list": httpx.Response(200, json={"a": 1}),
    "no JSON": httpx.Response(200, content=b"{"),
    "too large": httpx.Response(200, content=b"[" + b" " * MOST_OCTETS + b"]"),
    "not text": httpx.Response(200, content=b"\xff\xfe"),
    "deep": httpx.Response(200, content=b"[" * 100_000),
    "elsewhere": httpx.Response(302, headers={"Location": "http://evil.example/"}),
    "refused": httpx.Response(403, json={"title": "Forbidden", "status": 403, "detail": "x" * 10_000}),
    "odd problem": httpx.Response(400, json=[1, 2]),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_X5_hostile_answers_are_declined_in_a_line(clock: SimulatedClock, name: str) -> None:
    with pytest.raises(Declined) as refusal:
        await client_of(vtn(lambda _: HOSTILE[name]), clock).search("/events", {})
    assert len(str(refusal.value)) < 500


async def test_X5_a_vtn_without_end_is_left(clock: SimulatedClock) -> None:
    endless = vtn(lambda _: httpx.Response(200, json=[{}] * 50))
    with pytest.raises(Declined, match="more than"):
        await client_of(endless, clock).search("/events", {})


@pytest.mark.parametrize("status", [403, 404])
async def test_X5_what_is_not_there_for_us_is_none(clock: SimulatedClock, status: int) -> None:
    assert await client_of(vtn(lambda _: httpx.Response(status)), clock).get(Event, "/events/e") is None


async def test_X5_an_object_that_cannot_be_read_is_declined(clock: SimulatedClock) -> None:
    client = client_of(vtn(lambda _: httpx.Response(200, json={"id": "x"})), clock)
    with pytest.raises(Declined, match="programID"):
        await client.get(Event, "/events/e")
    with pytest.raises(Declined, match="eventID"):
        await client.post("/reports", Report(event_id="e", client_name="c", resources=()), Report)


@pytest.mark.parametrize(
    "token",
    [
        httpx.Response(400, json={"error": "invalid_client"}),
        httpx.Response(200, json={"token_type": "Bearer"}),
        httpx.Response(200, content=b"<html>"),
    ],
)
async def test_X5_no_token_is_declined(clock: SimulatedClock, token: httpx.Response) -> None:
    client = client_of(lambda _: token, clock, token_url="http://127.0.0.1:1/tokens")
    with pytest.raises(Declined, match="token"):
        await client.search("/events", {})


async def test_X5_the_clocks_are_compared(clock: SimulatedClock) -> None:
    late = {"Date": "Wed, 03 Jun 2026 00:01:00 GMT"}
    client = client_of(vtn(lambda _: httpx.Response(200, json=[], headers=late)), clock)
    await client.search("/events", {})
    assert client.skew_s == 60
