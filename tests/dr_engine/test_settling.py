"""By which terms an event is settled."""

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection

from dr_engine.domain.allocation import Rule
from dr_engine.domain.product import Products
from dr_engine.domain.settlement import RequestInterval
from dr_engine.domain.terms import Terms
from dr_engine.products import shipped
from dr_engine.settings import DrSettings, SettlementSettings
from dr_engine.settling import product_of, terms_of
from dr_engine.store.events import DrEvent
from tests.dr_engine.bench import FACILITY, at
from tests.dr_engine.store.conftest import connection

__all__ = ["connection"]

PRODUCTS = Products(shipped())
OWN = {"hall": {"tolerance": 0.05, "rule": "equal", "facility_bp": 500}}
SETTINGS = DrSettings.model_validate({"settlement": {"tolerance": 0.2, "aggregator_bp": 300, "facilities": OWN}})


def test_S402_the_facilitys_own_terms_go_before_the_products_and_these_before_the_settings() -> None:
    careful = PRODUCTS.get("jp-ra-up").model_copy(update={"tolerance": 0.0, "band_fraction": 0.05})
    assert terms_of(DrSettings(), "hall", None) == Terms()
    assert terms_of(SETTINGS, "elsewhere", None) == Terms(tolerance=0.2, aggregator_bp=300)
    assert terms_of(SETTINGS, "elsewhere", careful) == Terms(tolerance=0.0, aggregator_bp=300, band=0.05)
    found = terms_of(SETTINGS, "hall", careful)
    assert found == Terms(tolerance=0.05, aggregator_bp=300, facility_bp=500, rule=Rule.EQUAL, band=0.05)
    assert terms_of(SETTINGS, "hall", None, Rule.SHAPLEY).rule is Rule.SHAPLEY


def test_S402_an_event_belongs_to_the_product_that_its_program_names(connection: Connection) -> None:
    intervals = (RequestInterval(at(30), at(60), -9_000),)
    assert product_of(connection, DrEvent("e1", FACILITY, "jp-ra-up", intervals), PRODUCTS) == PRODUCTS.get("jp-ra-up")
    assert product_of(connection, DrEvent("e1", FACILITY, "something else", intervals), PRODUCTS) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"aggregator_bp": 6_000, "facility_bp": 5_000},
        {"facility_bp": 5_000, "facilities": {"hall": {"aggregator_bp": 6_000}}},
        {"tolerance": -0.1},
        {"rule": "mine"},
    ],
)
def test_S402_terms_that_cannot_be_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SettlementSettings.model_validate(settings)
