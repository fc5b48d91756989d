"""What members are told of benefits."""

from dataclasses import replace
from datetime import date

import pytest

from reservation import thanks
from reservation.domain.benefit import Kind
from reservation.domain.message import Language
from reservation.thanks import Told, Worth
from tests.reservation.samples import facility

DAY = date(2026, 6, 3)
EN, JA = Language.EN, Language.JA


def test_S504_thanks_say_what_was_given_and_for_what() -> None:
    points = Worth(Kind.POINTS, "points")
    assert thanks.of_statement(facility(), DAY, points, Told(added=1_312, delivered_wh=5_240)) == (
        "You helped the grid with 5.2 kWh during your stay at Salon Kanda on 3 June 2026. You receive 1,312 points."
    )
    assert thanks.of_statement(facility(), DAY, points, Told(added=1)).endswith("You receive 1 point.")
    assert thanks.of_statement(facility(), DAY, points, Told()) == ""


@pytest.mark.parametrize(
    ("kind", "unit", "english", "japanese"),
    [
        (Kind.POINTS, "points", "1,250 points", "1,250ポイント"),
        (Kind.AMOUNT_OFF, "JPY", "1,250 JPY off your next payment", "次回のお支払いから1,250円の割引"),
        (Kind.AMOUNT_OFF, "EUR", "12.50 EUR off your next payment", "次回のお支払いから12.50 EURの割引"),
        (Kind.RATE_OFF, "bp", "12.5 % off your next payment", "次回のお支払いの12.5%割引"),
        (Kind.CASH, "JPY", "1,250 JPY in cash", "現金1,250円"),
        (Kind.ITEM, "JPY", "1,250 JPY towards a gift", "プレゼントと交換できる1,250円分のクレジット"),
    ],
)
def test_S504_each_kind_is_said_in_both_languages(kind: Kind, unit: str, english: str, japanese: str) -> None:
    assert Worth(kind, unit, EN).of(1_250) == english
    assert Worth(kind, unit, JA).of(1_250) == japanese


@pytest.mark.parametrize(
    ("told", "english", "japanese"),
    [
        (Told(5, pending=True), "You receive 5 points. It can be spent once the figures are final.", "実績の確定後に"),
        (Told(5, first=False), "were corrected. You receive 5 points more.", "5ポイントを追加で差し上げます。"),
        (Told(-5, first=False), "were corrected. 5 points were taken back.", "5ポイントを取り消しました。"),
        (Told(-5, first=False, owed=3), "3 points of that were spent already", "うち3ポイントはすでにお使いのため"),
        (Told(5, owed=-3), "3 points of that make good what was taken back", "うち3ポイントは以前の取り消し分に"),
        (Told(free=5), "are final: you can spend 5 points at Salon Kanda", "Salon Kandaで5ポイントをお使いいただけます。"),
    ],
)
def test_S504_each_change_is_said_in_both_languages(told: Told, english: str, japanese: str) -> None:
    points = Worth(Kind.POINTS, "points")
    assert english in thanks.of_statement(facility(), DAY, points, told)
    assert japanese in thanks.of_statement(facility(), DAY, replace(points, language=JA), told)


def test_S504_what_has_expired_is_said() -> None:
    cash = Worth(Kind.CASH, "JPY")
    assert thanks.expired(facility(), cash, 50) == "50 JPY in cash of Salon Kanda were not spent in time and have expired."
    assert "現金50円は、期限までに" in thanks.expired(facility(), replace(cash, language=JA), 50)
