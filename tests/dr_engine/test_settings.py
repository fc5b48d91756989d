"""Settings are checked as a whole."""

import pytest
from pydantic import ValidationError

from dr_engine.settings import DrSettings
from protocols.openadr.power import Positive, PowerRule


def test_the_defaults_are_those_of_the_rules() -> None:
    rules, physics = DrSettings().rules(), DrSettings().physics()
    assert (rules.dead_man_s, rules.horizon_s, physics.upper_pct) == (300, 15, 92)


@pytest.mark.parametrize("wrong", [{"tick_s": 0}, {"charge_efficiency": 1.2}, {"unknown": 1}, {"taper_least": 1}])
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        DrSettings.model_validate(wrong)


def test_X5_a_2_0b_program_needs_a_facility_and_a_name_of_its_own() -> None:
    url, program = "http://vtn.example/OpenADR2/Simple/2.0b", {"name": "p", "facility": "f"}
    both = {"ven": VEN | {"programs": [program]}, "ven2b": {"url": url, "program": program | {"name": "q"}}}
    assert set(DrSettings.model_validate(both).programs()) == {"p", "q"}
    with pytest.raises(ValidationError, match="both VTNs"):
        DrSettings.model_validate(both | {"ven2b": {"url": url, "program": program}})
    with pytest.raises(ValidationError, match="facility"):
        DrSettings.model_validate({"ven2b": {"url": url, "program": {"name": "p"}}})


VEN = {"url": "https://vtn.example/openadr3/3.1.0", "client_id": "us", "client_secret": "hush"}


def test_X5_a_vtn_s_programme_says_how_it_means_powers() -> None:
    program = {"name": "p", "facility": "f", "positive": "export", "full_kw": 50, "levels_kw": {"1": -20}}
    ven = DrSettings.model_validate({"ven": VEN | {"programs": [program]}}).ven
    assert ven is not None
    rule = ven.programs[0].power_rule()
    assert (rule.positive, rule.full_w, rule.levels_w) == (Positive.EXPORT, 50_000, {1: -20_000})
    assert rule.types == PowerRule().types
    assert "hush" not in repr(ven)


@pytest.mark.parametrize(
    "wrong",
    [
        {"programs": []},
        {"programs": [{"name": "p"}]},
        {"programs": [{"name": "p", "facility": "f"}, {"name": "p", "facility": "g"}]},
        {"programs": [{"name": "p", "facility": "f", "levels_kw": {"4": 1}}]},
        {"programs": [{"name": "p", "facility": "f"}], "url": "ftp://x"},
        {"programs": [{"name": "p", "facility": "f"}], "poll_s": 0},
    ],
)
def test_X5_a_vtn_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DrSettings.model_validate({"ven": VEN | wrong})
