"""Every reason for which the services refuse something is said in every language, with the facts that it comes with."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridstay.web.door import Refusal
from gridstay.web.refusals import why
from gridstay.web.words import LANGUAGES, Words, catalogue
from reservation.domain.refusal import Reason

ROOT = Path(__file__).parents[3]
FACILITY = {"zone": "Asia/Tokyo", "currency": "JPY"}


def raised() -> Iterator[tuple[str, set[str]]]:
    """Every refusal that the reservation service makes: its reason's name, and the names of its facts."""
    for source in (ROOT / "reservation").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                named = [one for given in node.args for one in ast.walk(given) if isinstance(one, ast.Attribute)]
                for one in named:
                    if isinstance(one.value, ast.Name) and one.value.id == "Reason":
                        yield one.attr, {word.arg or "" for word in node.keywords}


def test_every_reason_is_raised_with_the_facts_that_its_text_names() -> None:
    found = list(raised())
    assert {name for name, _ in found} == {reason.name for reason in Reason}
    for name, facts in found:
        text = catalogue("en")[f"refusal.{Reason[name]}"]
        assert {field for _, field, _, _ in string.Formatter().parse(text) if field} <= facts, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_facts_are_said_in_the_facilitys_time_and_money(language: str) -> None:
    words = Words(language)

    def said(reason: Reason, **facts: str | int) -> str:
        return why(words, Refusal(409, {"detail": "x", "reason": reason, "facts": facts}), FACILITY)

    assert "14:30" in said(Reason.TOO_LATE, until="2026-11-27T05:30:00+00:00")
    assert words.money(1_200, "JPY") in said(Reason.REFUND_TOO_LARGE, left_minor=1_200)
    assert words.length(90) in said(Reason.TOO_SOON, minutes=90)
    assert words.counted("benefit.points", 5) in said(Reason.BENEFIT_SHORT, kind="points", most=5)
    assert why(words, Refusal(422, {"detail": "x"})) == words("refusal.other")
