"""What members are told of their stays, in two languages."""

from dataclasses import replace

import pytest

from reservation import wording
from reservation.domain.booking import Place
from reservation.domain.message import Language
from reservation.domain.promise import Promise
from reservation.domain.service import ANY_STAY, Service
from tests.reservation.samples import booking, facility, hours, member, wish

SALON = facility()
STAY = replace(booking(hours(11, 13)), code="ABC234")
PLACE = Place(SALON.resources[0], SALON.bays[0])
JAPANESE = replace(member(), language=Language.JA)


def test_M3_a_period_is_said_in_the_facilitys_time() -> None:
    assert wording.when(SALON, hours(11, 13), Language.EN) == "Wednesday 3 June 2026, 11:00 to 13:00"
    assert wording.when(SALON, hours(23, 25), Language.EN) == "Wednesday 3 June 2026, 23:00 to 4 June 2026, 01:00"
    assert wording.when(SALON, hours(11, 13), Language.JA) == "2026年6月3日(水) 11:00〜13:00"
    assert wording.when(SALON, hours(23, 25), Language.JA) == "2026年6月3日(水) 23:00〜2026年6月4日(木) 01:00"


def test_M3_a_booking_is_told_in_the_members_language_else_the_facilitys() -> None:
    assert wording.booked(SALON, STAY, Place(SALON.resources[0], None), member()) == (
        "Your stay at Salon Kanda is booked: Wednesday 3 June 2026, 11:00 to 13:00, Chair 1. Check in with ABC234."
    )
    told = (
        "Salon Kandaのご予約を承りました。2026年6月3日(水) 11:00〜13:00、Chair 1、駐車枠p1。チェックインコードはABC234です。"
    )
    assert wording.booked(SALON, STAY, PLACE, JAPANESE) == told
    assert wording.booked(replace(SALON, language=Language.JA), STAY, PLACE, member()) == told


def test_what_is_booked_is_named_where_there_is_a_choice() -> None:
    two = replace(SALON, services=(ANY_STAY, Service("cut", "Cut")))
    assert "13:00, Cut, Chair 1, parking bay p1." in wording.booked(two, replace(STAY, service_id="cut"), PLACE, member())


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Promise(80, 90, kept=True), "お車が電力の安定に協力します。出発時の充電は80%以上です。"),
        (Promise(80, 40, kept=False, reason="x"), "出発時の充電は40%ほどで、ご希望の80%には届きません。"),
        (Promise(80, None, kept=False, reason="x"), "現在の充電が分からないため"),
    ],
)
def test_X1_the_promise_is_told_in_japanese(promise: Promise, words: str) -> None:
    assert words in wording.booked(SALON, replace(STAY, charging=wish(), promise=promise), PLACE, JAPANESE)


def test_a_facility_has_its_own_words() -> None:
    own = replace(
        SALON, messages={"en": {"booked": "{member}: {when}, {resource} {bay} for {party}, {code} {service} {{x}}"}}
    )
    assert wording.booked(own, STAY, PLACE, member()) == (
        "Aoki Yui: Wednesday 3 June 2026, 11:00 to 13:00, Chair 1 p1 for 1, ABC234 Stay {x}"
    )
    assert wording.booked(own, STAY, PLACE, JAPANESE).startswith("Salon Kandaのご予約")


def test_the_end_of_a_booking_is_told() -> None:
    assert wording.given_up("cancelled", SALON, STAY, member()) == (
        "Your stay at Salon Kanda is cancelled: Wednesday 3 June 2026, 11:00 to 13:00."
    )
    assert "did not come" in wording.given_up("no_show", SALON, STAY, member())
    assert "お見えにならなかった" in wording.given_up("no_show", SALON, STAY, JAPANESE)
    assert "11:00 to 13:00" in wording.free(SALON, hours(11, 13), "stay", member())
