"""What is agreed to, and taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reservation import ChargingWish
from reservation.domain.consent import Purpose, Told, Wish, Withdrawn
from reservation.domain.member import Preferences
from reservation.domain.refusal import Invalid
from tests.reservation.samples import CAR

YES = Preferences(dr=True, discharge=True, wanted_soc_pct=80, floor_soc_pct=20)
ANY = st.builds(
    lambda dr, discharge, low, high: Preferences(dr, discharge, max(low, high), min(low, high)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 100),
    st.integers(0, 100),
)


def wish_of(agreed: Preferences) -> ChargingWish:
    return ChargingWish(
        car=CAR,
        dr=agreed.dr,
        discharge=agreed.dr and agreed.discharge,
        wanted_soc_pct=agreed.wanted_soc_pct,
        floor_soc_pct=agreed.floor_soc_pct,
    )


@given(stay=ANY, old=ANY, new=ANY)
def test_X1_taking_back_only_ever_narrows_a_stay(stay: Preferences, old: Preferences, new: Preferences) -> None:
    before = wish_of(stay)
    after = Withdrawn.between(old, new).of(before)
    assert (after.dr, after.discharge) <= (before.dr, before.discharge)
    assert after.dr or not after.discharge
    assert before.floor_soc_pct <= after.floor_soc_pct <= after.wanted_soc_pct
    if old.discharge and not new.discharge:
        assert not after.discharge
    if old.dr and not new.dr:
        assert not after.dr
    if new.floor_soc_pct > old.floor_soc_pct:
        assert after.floor_soc_pct >= new.floor_soc_pct
    if old == new:
        assert after == before


def test_what_is_not_said_stays() -> None:
    assert Wish(Told(), discharge=False).on(YES) == Preferences(dr=True, discharge=False)
    assert Wish(Told(), wanted_soc_pct=30).on(YES).floor_soc_pct == 20
    with pytest.raises(Invalid, match="floor"):
        Wish(Told(), floor_soc_pct=90).on(YES)


def test_without_the_cars_data_there_is_no_part_to_take() -> None:
    told = Told(purposes=frozenset({Purpose.STAYS}))
    assert Wish(told).on(YES) == Preferences()
    with pytest.raises(Invalid, match="charging"):
        Wish(told, dr=True).on(YES)
