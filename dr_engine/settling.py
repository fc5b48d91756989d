"""By which terms an event is settled: its facility's own, those of the product that was sold, else those of the settings."""

from typing import TypeVar

from sqlalchemy import Connection

from dr_engine.domain.allocation import Rule
from dr_engine.domain.product import MarketProduct, Products
from dr_engine.domain.terms import Terms
from dr_engine.settings import DrSettings, FacilityTerms
from dr_engine.store import bids, events, statements
from dr_engine.store.events import DrEvent

T = TypeVar("T")


def terms_for(connection: Connection, settings: DrSettings, event_id: str, rule: Rule | None = None) -> Terms:
    """The terms of an event as things stand; `rule` is one that was asked for by name. Raises Unknown."""
    event = events.get(connection, event_id)
    return terms_of(settings, event.facility_id, product_of(connection, event, settings.product_table()), rule)


def terms_standing(connection: Connection, settings: DrSettings, event_id: str) -> Terms:
    """The terms by which an event was settled, or would be. Raises Unknown."""
    standing = statements.statement_of(connection, event_id)
    return terms_for(connection, settings, event_id) if standing is None else statements.terms_kept(standing[0])


def product_of(connection: Connection, event: DrEvent, products: Products) -> MarketProduct | None:
    """The product that an event belongs to: its program names it, or what was awarded for its first interval is of one."""
    by_code = {product.code: product for product in products.all()}
    if event.program in by_code:
        return by_code[event.program]
    first = event.intervals[0]
    sold = bids.awards_between(connection, event.facility_id, first.start, first.end)
    return next((by_code.get(award.product) for award in sold if award.direction == first.direction), None)


def terms_of(settings: DrSettings, facility_id: str, product: MarketProduct | None, rule: Rule | None = None) -> Terms:
    """The terms of an event at a facility."""
    standard = settings.settlement
    own = standard.facilities.get(facility_id, FacilityTerms())
    return Terms(
        tolerance=_first(own.tolerance, product.tolerance if product else None, standard.tolerance),
        least_response=standard.least_response,
        aggregator_bp=_first(own.aggregator_bp, standard.aggregator_bp),
        facility_bp=_first(own.facility_bp, standard.facility_bp),
        rule=rule or own.rule or standard.rule,
        band=product.band_fraction if product else Terms().band,
        penalty_bp=standard.penalty_bp,
        seed=standard.seed,
        baseline=_first(own.baseline, product.baseline_kind if product else None, standard.baseline),
        measured_at=_first(own.measured_at, product.measured_at if product else None, standard.measured_at),
        just_before_s=standard.just_before_s,
        adjust_s=standard.adjust_s,
        adjust_gap_s=standard.adjust_gap_s,
        signed_only=_first(own.signed_only, standard.signed_only),
        time_zone=_first(own.time_zone, standard.time_zone),
        country=_first(own.country, standard.country),
    )


def _first(*found: T | None) -> T:
    """The first that says something; the last one always does."""
    return next(one for one in found if one is not None)
