"""Two pools, split and shared."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.allocation import Rule, Stake
from dr_engine.domain.metering import Energy, Quality
from dr_engine.domain.pools import Money, Shared, game_of, share_money
from dr_engine.domain.settlement import Delivered, RequestInterval
from dr_engine.domain.shapley import Game
from dr_engine.domain.terms import Terms
from tests.dr_engine.domain.strategies import NOW, later

ANN, BEN = Stake("ann", 3_000, 3_000, (500, 500)), Stake("ben", 1_000, 1_000, (1_500, 0))
NOBODY = Stake("cat", 0, 0, (0, 0))


def test_S402_capacity_is_paid_by_availability_and_energy_by_credit() -> None:
    found = share_money(Money(800, 400), [ANN, BEN, NOBODY], (1, 3), Terms(), Game(4_000))
    assert dict(found.capacity) == {"ann": 50 + 600, "ben": 150, "cat": 0}
    assert dict(found.energy) == {"ann": 300, "ben": 100, "cat": 0}
    assert (found.amount("ann"), found.undistributed_minor) == (950, 0)


def test_S402_capacity_of_an_interval_in_which_nobody_was_there_stays_undistributed() -> None:
    found = share_money(Money(800, 0), [BEN], (1, 3), Terms(), Game(4_000))
    assert (found.amount("ben"), found.undistributed_minor) == (200, 600)


def test_S402_aggregator_and_facility_have_their_basis_points() -> None:
    terms = Terms(aggregator_bp=1_000, facility_bp=2_500)
    found = share_money(Money(101, 1_001), [ANN, BEN], (1, 1), terms, Game(4_000))
    assert (found.aggregator_minor, found.facility_minor) == (10 + 100, 25 + 250)
    assert found.amount("ann") + found.amount("ben") == 66 + 651
    assert share_money(Money(0, 50), [ANN], (1, 1), Terms(facility_bp=10_000), Game(0)) == Shared(
        {"ann": 0}, {"ann": 0}, 0, 50, 0
    )


cars = st.lists(
    st.builds(Stake, st.text(max_size=3), *[st.integers(0, 9_000)] * 2, st.tuples(*[st.integers(0, 9_000)] * 3)),
    max_size=8,
    unique_by=lambda one: one.session_id,
)
terms = st.builds(Terms, rule=st.sampled_from(Rule), aggregator_bp=st.integers(0, 4_000), facility_bp=st.integers(0, 6_000))


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.integers(0, 10**9), cars, st.tuples(*[st.integers(0, 10**6)] * 3), terms)
def test_S402_both_pools_are_shared_exactly_in_any_order(
    capacity: int, energy: int, stakes: list[Stake], sold: tuple[int, int, int], by: Terms
) -> None:
    money, game = Money(capacity, energy), Game(10_000)
    found = share_money(money, stakes, sold, by, game)
    amounts = [found.amount(one.session_id) for one in stakes]
    parts = [*amounts, found.aggregator_minor, found.facility_minor, found.undistributed_minor]
    assert sum(parts) == money.total_minor
    assert min(parts) >= 0
    assert share_money(money, stakes[::-1], sold, by, game) == found


def test_S402_the_game_is_the_help_that_was_asked_for() -> None:
    intervals = [RequestInterval(NOW, later(1800), -4_000), RequestInterval(later(1800), later(3600), 5_000)]
    one = [Delivered(Energy(0, Quality.GOOD), baseline, 0, 0, 0) for baseline in (1_000, 500)]
    game = game_of(intervals, [one, one], Terms(band=0.1, penalty_bp=7))
    assert (game.requested_wh, game.least_wh, game.penalty_bp) == (2_000 + 2_000 + 2_500 - 1_000, 4_950, 7)
