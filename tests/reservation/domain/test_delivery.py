"""How a notice is sent on: the channel, the address in its URL, the pauses."""

from datetime import timedelta

import pytest

from contracts.ids import MemberId
from reservation.domain import delivery
from reservation.domain.delivery import Contact, DeliveryState, Due
from tests.reservation.samples import NOW

CHANNELS = {"line": "line://token/{address}", "email": "mailtos://user:secret@smtp.example.org?to={address}"}


def due(attempts: int = 0) -> Due:
    return Due("n", MemberId("m1"), "Booked", "Your stay is booked.", attempts, NOW + timedelta(hours=1))


def test_S106_the_first_contact_that_has_a_channel_is_taken() -> None:
    contacts = [Contact("pigeon", "loft 3"), Contact("line", "U1"), Contact("email", "yui@example.org")]
    assert delivery.shared(contacts, CHANNELS) == Contact("line", "U1")
    assert delivery.shared(contacts[:1], CHANNELS) is None
    assert delivery.shared(contacts, {}) is None


@pytest.mark.parametrize("address", ["yui@example.org&to=all@example.org", "../../admin", "a b", "x?y#z", "日本"])
def test_an_address_changes_nothing_but_itself(address: str) -> None:
    url = delivery.url_to(Contact("email", address), CHANNELS)
    ahead, behind = url.split("to=")
    assert ahead == "mailtos://user:secret@smtp.example.org?"
    assert not set(behind) & set("&?#/ ")


def test_a_channel_without_a_place_for_the_address_is_refused() -> None:
    with pytest.raises(ValueError, match=r"channel 'line': the URL needs \{address\}"):
        delivery.check_channel("line", "line://token/everyone")


def test_a_failure_is_tried_again_with_growing_pauses_and_then_given_up() -> None:
    outcomes = [delivery.failed(due(tried), "line", "no route", NOW) for tried in range(len(delivery.PAUSES) + 1)]
    assert [outcome.state for outcome in outcomes] == [DeliveryState.WAITING] * len(delivery.PAUSES) + [DeliveryState.FAILED]
    waits = [outcome.next_at - NOW for outcome in outcomes if outcome.next_at]
    assert waits == sorted(waits)
    assert waits == list(delivery.PAUSES)
    assert {outcome.error for outcome in outcomes} == {"no route"}


def test_what_comes_too_late_is_not_sent() -> None:
    assert not delivery.too_late(due(), NOW)
    assert delivery.too_late(due(), NOW + timedelta(hours=1))
