"""Cookies, links and form tokens: ours are read, nobody else's are, and none for ever."""

from datetime import timedelta

import pytest

from gridstay.web.passes import MEMBERS_STAY, STAFF_STAYS, Passes, personal_links
from runtime.clock import SimulatedClock
from tests.conftest import START


@pytest.fixture
def passes(clock: SimulatedClock) -> Passes:
    return Passes("key", "operator", clock)


def at(when: timedelta) -> SimulatedClock:
    return SimulatedClock(START + when)


def test_a_member_stays_signed_in_for_a_month(passes: Passes) -> None:
    session = passes.of_member("m1", by_code=True)
    written = passes.written(session)
    assert passes.read(written) == session
    assert Passes("key", "operator", at(MEMBERS_STAY - timedelta(seconds=1))).read(written) == session
    assert Passes("key", "operator", at(MEMBERS_STAY)).read(written) is None


def test_staff_are_signed_in_by_the_operators_token_for_a_day_of_work(passes: Passes) -> None:
    assert passes.of_staff("operato") is None
    assert passes.of_staff("") is None
    session = passes.of_staff(" operator\n")
    assert session is not None
    assert session.staff
    written = passes.written(session)
    assert passes.read(written) == session
    assert Passes("key", "operator", at(STAFF_STAYS)).read(written) is None
    assert Passes("key", "another token", at(timedelta())).read(written) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "a.b.c", "WyJhIl0.x", "é"])
def test_what_is_not_ours_is_nobody(passes: Passes, cookie: str | None) -> None:
    assert passes.read(cookie) is None


def test_another_key_and_another_purpose_are_not_ours(passes: Passes, clock: SimulatedClock) -> None:
    written = passes.written(passes.of_member("m1", by_code=True))
    assert Passes("other", "operator", clock).read(written) is None
    assert passes.read(passes.link("m1", "b1")) is None
    assert passes.of_link(written) is None
    half, signature = written.rsplit(".", 1)
    assert passes.read(f"{half[:-2]}.{signature}") is None


def test_a_form_token_is_good_for_its_session_only(passes: Passes) -> None:
    mine, other = passes.fresh(), passes.fresh()
    assert passes.is_form_token(mine, passes.form_token(mine))
    assert not passes.is_form_token(other, passes.form_token(mine))
    assert not passes.is_form_token(mine, "")
    assert not passes.is_form_token(mine, "é")


def test_M3_the_link_of_a_confirmation_names_member_and_booking(passes: Passes) -> None:
    assert passes.of_link(passes.link("m1", "b1")) == ("m1", "b1")
    assert passes.of_link("nonsense") is None


def test_M3_links_stand_below_the_public_address_if_there_is_one(passes: Passes) -> None:
    link = personal_links(passes, "https://stays.example/")
    assert link is not None
    base, given = link("m1", "b1").rsplit("/", 1)
    assert base == "https://stays.example/s"
    assert passes.of_link(given) == ("m1", "b1")
    assert personal_links(passes, None) is None
