"""Who is meant by a condition, and what no condition is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.domain import audience
from reservation.domain.audience import Record, missing, read

REGULAR = Record(has_car=True, takes_part=True, spent_minor={90: 5_000}, visits={30: 2})
STRANGER = Record()
SPENT = {"kind": "spent", "at_least_minor": 5_000, "days": 90}
VISITED = {"kind": "visited", "days": 30, "times": 2}


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"kind": "everyone"}, None),
        (SPENT, "spent 0 of 5,000 in 90 days"),
        (VISITED, "came 0 of 2 times in 30 days"),
        ({"kind": "has_car"}, "has no electric car"),
        ({"kind": "takes_part"}, "takes no part in demand response"),
        ({"kind": "all", "of": [{"kind": "everyone"}, VISITED, SPENT]}, "came 0 of 2 times in 30 days"),
        ({"kind": "any", "of": [{"kind": "has_car"}, VISITED]}, "has no electric car and came 0 of 2 times in 30 days"),
        ({"kind": "any", "of": [SPENT, {"kind": "everyone"}]}, None),
        ({"kind": "not", "of": SPENT}, None),
    ],
)
def test_S104_a_regular_meets_each_condition_and_a_stranger_is_told_apart(condition: Any, why: str | None) -> None:
    assert missing(read(condition), STRANGER) == why
    is_regular_out = condition["kind"] == "not"
    assert missing(read(condition), REGULAR) == ("is left out by the rule" if is_regular_out else None)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({}, "discriminator"),
        ({"kind": "rich"}, "rich"),
        ({"kind": "spent", "days": 90}, "at_least_minor"),
        (SPENT | {"at_least_minor": 0}, "greater than or equal to 1"),
        (SPENT | {"at_least_minor": "5000"}, "valid integer"),
        (SPENT | {"days": 0}, "greater than or equal to 1"),
        (SPENT | {"currency": "JPY"}, "Extra inputs"),
        ({"kind": "all", "of": []}, "at least 1"),
        ({"kind": "not"}, "Field required"),
        ("everyone", "dictionary"),
    ],
)
def test_S104_what_is_no_condition_is_refused(condition: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(condition)


def test_S104_what_nobody_could_understand_is_refused() -> None:
    condition: dict[str, Any] = {"kind": "everyone"}
    for _ in range(audience.MAX_DEPTH):
        condition = {"kind": "not", "of": condition}
    with pytest.raises(ValueError, match="nested more than 6 deep"):
        read(condition)
    assert read(condition["of"])


def test_how_far_back_is_looked_is_known_beforehand() -> None:
    condition = read(
        {"kind": "all", "of": [SPENT, {"kind": "not", "of": VISITED}, {"kind": "any", "of": [SPENT | {"days": 7}]}]}
    )
    assert audience.spent_days(condition) == {7, 90}
    assert audience.visited_days(condition) == {30}


LEAVES = st.sampled_from([{"kind": "everyone"}, SPENT, VISITED, {"kind": "has_car"}, {"kind": "takes_part"}])
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda of: {"kind": "not", "of": of}, inner),
        st.builds(
            lambda kind, of: {"kind": kind, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)
RECORDS = st.builds(
    Record,
    has_car=st.booleans(),
    takes_part=st.booleans(),
    spent_minor=st.builds(lambda spent: {90: spent}, st.integers(0, 10_000)),
    visits=st.builds(lambda times: {30: times}, st.integers(0, 4)),
)


def meets(condition: dict[str, Any], record: Record) -> bool:
    """The same by plain logic."""
    match condition["kind"]:
        case "all":
            return all(meets(part, record) for part in condition["of"])
        case "any":
            return any(meets(part, record) for part in condition["of"])
        case "not":
            return not meets(condition["of"], record)
        case "spent":
            return record.spent_minor[90] >= 5_000
        case "visited":
            return record.visits[30] >= 2
        case "has_car":
            return record.has_car
        case "takes_part":
            return record.takes_part
        case _:
            return True


@given(CONDITIONS, RECORDS)
@settings(max_examples=60)
def test_S104_conditions_combine_as_logic_has_it(condition: dict[str, Any], record: Record) -> None:
    try:
        wanted = read(condition)
    except ValueError:
        return  # nested too deep
    assert (missing(wanted, record) is None) == meets(condition, record)
