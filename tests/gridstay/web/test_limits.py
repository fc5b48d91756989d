"""Nobody guesses a code, and nobody is asked to remember everybody."""

import pytest

from gridstay.web import limits
from gridstay.web.limits import CODE_S, CODE_TRIES, Codes, Limiter


def test_so_many_in_so_long_and_each_key_for_itself() -> None:
    limiter = Limiter(2, 10.0)
    assert [limiter.lets("a", 0.0), limiter.lets("a", 1.0), limiter.lets("a", 2.0), limiter.lets("b", 2.0)] == [
        True,
        True,
        False,
        True,
    ]
    assert not limiter.lets("a", 9.9)
    assert limiter.lets("a", 10.0)
    assert not limiter.lets("a", 10.5)
    assert limiter.lets("a", 11.0)


def test_those_not_seen_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEPT", 3)
    limiter, codes = Limiter(1, 1_000.0), Codes()
    issued = [codes.issue(str(number), "m", 0.0) for number in range(5)]
    assert all(limiter.lets(str(number), 0.0) for number in range(5))
    assert limiter.lets("0", 1.0)
    assert not limiter.lets("4", 1.0)
    assert codes.redeem("0", issued[0], 1.0) is None
    assert codes.redeem("4", issued[4], 1.0) == "m"


def test_a_code_is_good_once_and_for_its_guest() -> None:
    codes = Codes()
    code = codes.issue("1001", "m1", 0.0)
    assert (len(code), code.isdecimal()) == (6, True)
    assert codes.redeem("1002", code, 1.0) is None
    assert codes.redeem("1001", code, 1.0) == "m1"
    assert codes.redeem("1001", code, 1.0) is None


def test_a_code_ends_and_a_fresh_one_takes_its_place() -> None:
    codes = Codes()
    first = codes.issue("1001", "m1", 0.0)
    assert codes.redeem("1001", first, CODE_S) is None
    second = codes.issue("1001", "m1", CODE_S)
    if first != second:
        assert codes.redeem("1001", first, CODE_S + 1) is None
    assert codes.redeem("1001", second, CODE_S + 1) == "m1"


def test_a_code_cannot_be_guessed_by_trying_all() -> None:
    codes = Codes()
    code = codes.issue("1001", "m1", 0.0)
    wrong = "000000" if code != "000000" else "000001"
    assert [codes.redeem("1001", wrong, 1.0) for _ in range(CODE_TRIES)] == [None] * CODE_TRIES
    assert codes.redeem("1001", code, 1.0) is None
