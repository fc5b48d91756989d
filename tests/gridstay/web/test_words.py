"""Texts of every language, and how days, lengths and numbers are written."""

import re
import string
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gridstay.web.site import HERE
from gridstay.web.words import LANGUAGES, Words, catalogue, chosen

TOKYO = ZoneInfo("Asia/Tokyo")
EN, JA = Words("en"), Words("ja")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_catalogue_has_the_same_texts_with_the_same_fields(language: str) -> None:
    first, other = catalogue(LANGUAGES[0]), catalogue(language)
    assert set(first) == set(other)
    for name, text in first.items():
        same = fields(text) == fields(other[name]) or name.endswith("_1")
        assert same, name
        assert other[name].strip() or not text.strip(" "), name


def test_every_text_that_a_page_names_is_in_the_catalogue() -> None:
    sources = [*HERE.glob("templates/**/*.html"), *HERE.glob("**/*.py")]
    named = {
        name
        for source in sources
        for name in re.findall(r'(?:\bt|words|\bw)\("([a-z_]+\.[a-z_0-9]*[a-z0-9])"', source.read_text("utf-8"))
    }
    assert len(named) > 100
    assert named <= set(catalogue("en"))


def test_every_text_of_the_catalogue_is_said_somewhere() -> None:
    said = "".join(source.read_text("utf-8") for source in [*HERE.glob("templates/**/*.html"), *HERE.glob("**/*.py")])
    made = (
        "languages.",
        "state.",
        "live.",
        "rules.",
        "wrong.",
        "staff.",
        "stay.",
        "day.",
        "benefit.of_",
        "moved.",
        "method.",
        "deed.",
        "refusal.",
        "wait.done_",
        "consent.needed_",
        "purpose.",
        "means.",
        "till.done_",
    )  # named by what they are about
    unsaid = [name for name in catalogue("en") if name.removesuffix("_1") not in said and not name.startswith(made)]
    assert unsaid == []


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        ((None, None, None), "en"),
        (("", "ja"), "ja"),
        (("ja-JP,ja;q=0.9,en;q=0.8",), "ja"),
        (("fr, en;q=0.3, ja;q=0.7",), "ja"),
        (("ja;q=0, en;q=0.1",), "en"),
        (("xx", None, "ja"), "ja"),
        (("en", "ja"), "en"),
        ((";;;q=,,q=x",), "en"),
    ],
)
def test_the_language_is_the_first_wish_that_we_speak(wishes: tuple[str | None, ...], language: str) -> None:
    assert chosen(*wishes) == language


def test_days_and_times_are_the_facilitys() -> None:
    start, end = datetime(2026, 11, 26, 23, 30, tzinfo=UTC), datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
    assert EN.times(start, end, TOKYO) == JA.times(start, end, TOKYO) == "08:30 – 10:00"
    assert EN.day(date(2026, 11, 27)) == "Fri, November 27"
    assert JA.day(date(2026, 11, 27)) == "11月27日(金)"
    assert JA.short_day(date(2026, 11, 27)) == ("金", "27")
    assert JA.day_name(0) == "月曜日"


def test_a_stay_over_night_says_the_day_of_its_end() -> None:
    start, end = datetime(2026, 11, 27, 6, 0, tzinfo=UTC), datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
    assert EN.times(start, end, TOKYO) == "15:00 – Sat, November 28 11:00"
    midnight = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
    assert EN.times(start, midnight, TOKYO) == "15:00 – 00:00"


@pytest.mark.parametrize(
    ("minutes", "en", "ja"), [(60, "1 h", "1時間"), (90, "1 h 30 min", "1時間30分"), (45, "45 min", "45分")]
)
def test_lengths(minutes: int, en: str, ja: str) -> None:
    assert (EN.length(minutes), JA.length(minutes)) == (en, ja)


def test_numbers_money_power_and_energy() -> None:
    assert (EN.number(1234), EN.number(0.5, 1), EN.number(12.0, 1)) == ("1,234", "0.5", "12")
    assert (EN.money(1200, "JPY"), JA.money(1200, "JPY"), EN.money(1250, "EUR")) == ("¥1,200", "￥1,200", "€12.50")
    assert (EN.power(-5960), EN.energy(1234)) == ("6 kW", "1.23 kWh")
    assert (EN.counted("day.persons", 1), EN.counted("day.persons", 2)) == ("1 person", "2 persons")
