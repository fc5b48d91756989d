"""The awards that a request calls, with what is left of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from contracts.dr import Direction
from dr_engine.domain.calling import SoldBlock, called
from dr_engine.settings import DrSettings
from dr_engine.store import bids, events
from dr_engine.store.bids import Award
from dr_engine.store.events import DrEvent


@dataclass(frozen=True, slots=True)
class Drawn:
    """An award and what a request draws from it: `called_kw` at the most, of which `beyond_kw` were not sold, and the
    energy; `left_kwh` is what neither it nor any other request calls."""

    bid_id: str
    product: str
    direction: str
    start: datetime
    end: datetime
    awarded_kw: int
    baseline_kw: float | None
    called_kw: float
    called_kwh: float
    beyond_kw: float
    left_kwh: float


def drawn(connection: Connection, settings: DrSettings, event: DrEvent) -> list[Drawn]:
    """The awards that an event calls, by start: of its time, its direction, and the products that its program means."""
    codes = product_codes(settings, event.program)
    found = bids.awards_between(connection, event.facility_id, event.start, event.end)
    sold = [award for award in found if codes is None or award.product in codes]
    if not sold or event.cancelled:
        return []
    others = [
        one
        for one in events.between(connection, event.facility_id, sold[0].start, max(award.end for award in sold))
        if one.event_id != event.event_id and not one.cancelled
    ]
    drawn = (_drawn(award, event, [one for one in others if _may_call(settings, one, award)]) for award in sold)
    return [one for one in drawn if one is not None]


def product_codes(settings: DrSettings, program: str | None) -> frozenset[str] | None:
    """The products that a program means: the one of that code, or those that a VTN's program offers; None: any."""
    if program is None:
        return None
    if any(product.code == program for product in settings.product_table().all()):
        return frozenset({program})
    of_the_vtn = settings.programs().get(program)
    return None if of_the_vtn is None else frozenset({of_the_vtn.offer_up, of_the_vtn.offer_down})


def _may_call(settings: DrSettings, event: DrEvent, award: Award) -> bool:
    codes = product_codes(settings, event.program)
    return codes is None or award.product in codes


def _drawn(award: Award, event: DrEvent, others: list[DrEvent]) -> Drawn | None:
    block = SoldBlock(award.start, award.end, Direction(award.direction), award.awarded_kw, award.baseline_w)
    own = called(block, event.intervals)
    if not own.energy_wh:
        return None
    all_wh = own.energy_wh + sum(called(block, one.intervals).energy_wh for one in others)
    sold_kwh = award.awarded_kw * (award.end - award.start).total_seconds() / 3600
    return Drawn(
        bid_id=award.bid_id,
        product=award.product,
        direction=award.direction,
        start=award.start,
        end=award.end,
        awarded_kw=award.awarded_kw,
        baseline_kw=None if award.baseline_w is None else award.baseline_w / 1000,
        called_kw=round(own.most_w / 1000, 3),
        called_kwh=round(own.energy_wh / 1000, 3),
        beyond_kw=round(max(0.0, own.most_w / 1000 - award.awarded_kw), 3),
        left_kwh=round(max(0.0, sold_kwh - all_wh / 1000), 3),
    )
