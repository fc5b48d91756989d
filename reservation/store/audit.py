"""The whole ledger, looked at with all that it can be traced to."""

from dataclasses import dataclass

from sqlalchemy import Connection

from reservation.domain import audit
from reservation.store import allocations, grants, ledger, receipts


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries were looked at, and each fault in a sentence."""

    entries: int
    faults: tuple[str, ...]


def verdict(connection: Connection) -> Verdict:
    """Whether the ledger is sound (X3)."""
    posted = ledger.posted(connection)
    found = audit.faults(
        posted, grants.everything(connection), allocations.everything(connection), receipts.everything(connection)
    )
    return Verdict(len(posted), found)
