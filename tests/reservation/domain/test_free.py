"""The algebra of possible starts, against trying every minute."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.domain import free
from reservation.domain.occupied import span
from reservation.domain.period import Period
from tests.reservation.samples import NOW, hours

MINUTES = 90


def minute(number: int) -> Period:
    return Period(NOW + timedelta(minutes=number), NOW + timedelta(minutes=number + 1))


def test_S208_starts_are_the_free_gaps_less_the_length() -> None:
    taken = [span(hours(12, 14)), span(hours(16, 17))]
    found = free.starts(taken, hours(10, 20), timedelta(hours=2))
    day = hours(10, 20).start
    offsets = [tuple((when - day) / timedelta(hours=1) for when in span) for span in found]
    assert offsets == [(0, 0), (4, 4), (7, 8)]


periods = st.tuples(st.integers(-10, MINUTES + 10), st.integers(1, 30)).map(
    lambda pair: Period(NOW + timedelta(minutes=pair[0]), NOW + timedelta(minutes=pair[0] + pair[1]))
)


@settings(deadline=None)
@given(st.lists(periods, max_size=6), st.lists(periods, max_size=6), st.integers(1, 40))
def test_S208_spans_hold_exactly_the_starts_that_meet_nothing(one: list[Period], two: list[Period], length: int) -> None:
    within = Period(NOW, NOW + timedelta(minutes=MINUTES))
    stay = timedelta(minutes=length)

    def possible(start: int, taken: list[Period]) -> bool:
        period = Period(NOW + timedelta(minutes=start), NOW + timedelta(minutes=start) + stay)
        return within.holds(period) and not any(period.overlaps(other) for other in taken)

    def held(start: int, spans: list[free.Span]) -> bool:
        return any(first <= NOW + timedelta(minutes=start) <= last for first, last in spans)

    of_one, of_two = (free.union(free.starts(map(span, taken), within, stay)) for taken in (one, two))
    either, both = free.union([*of_one, *of_two]), free.intersection(of_one, of_two)
    for start in range(-5, MINUTES + 5):
        assert held(start, of_one) == possible(start, one)
        assert held(start, either) == (possible(start, one) or possible(start, two))
        assert held(start, both) == (possible(start, one) and possible(start, two))


def test_S208_an_instant_is_held_by_a_span_and_its_ends() -> None:
    spans = free.union([(NOW, NOW), (NOW + timedelta(hours=1), NOW + timedelta(hours=2))])
    held = [free.holds(spans, NOW + timedelta(minutes=number)) for number in (-1, 0, 1, 60, 90, 120, 121)]
    assert held == [False, True, False, True, True, True, False]
