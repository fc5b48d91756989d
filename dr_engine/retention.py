"""What the engine keeps for how long, as rules for the sweep: what VTNs asked, what was made of it, what they were told.

An event that its VTN still has stays, however old: it would be read again as a new one. Of its old reports only the time
up to which they were sent stays, so that none is sent twice.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from dr_engine.store import grid
from runtime.settings import Days
from runtime.storage.database import Database, Work
from runtime.storage.sweep import ROWS, Rule, Rules, before

_Old = Callable[[Connection, datetime, int], Sequence[Any]]
_Drop = Callable[[Sequence[Any], Connection], int]


class RetentionSettings(BaseModel):
    """For how many days what is kept; None ("forever" in a file) never goes."""

    model_config = ConfigDict(extra="forbid")

    vtn_days: Days = 400
    """Events that their VTN has no more, which requests were made of events, and reports that were sent. The requests
    themselves and their settlement never go."""


def rules(settings: RetentionSettings) -> Rules:
    """What is to be swept."""
    if settings.vtn_days is None:
        return {}
    swept: dict[str, tuple[_Old, _Drop]] = {
        "reports to VTNs": (grid.old_reports, grid.drop_reports),
        "requests of VTNs": (grid.old_requests, grid.drop_requests),
        "events of VTNs": (grid.old_events, grid.drop_events),
    }
    return {name: _rule(settings.vtn_days, old, drop) for name, (old, drop) in swept.items()}


def _rule(days: int, old: _Old, drop: _Drop) -> Rule:
    async def rule(database: Database, now: datetime) -> AsyncGenerator[Work[int], None]:
        limit = before(now, days)
        while found := await database.read(lambda connection: old(connection, limit, ROWS)):
            yield partial(drop, found)

    return rule
