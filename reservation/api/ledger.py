"""Routes of the ledger. It can only be read here: postings come from compensation."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from reservation.api.desk import Desk
from reservation.api.fields import Answer
from reservation.api.refusals import RefusingRoute
from reservation.store import audit
from reservation.store import ledger as store

LARGEST_POSITION = 2**63 - 1


class LineAnswer(Answer):
    """An account and what was added to it, a whole number of the entry's unit. `grant_id` names the benefit that it is part
    of; empty on accounts that are not kept benefit by benefit."""

    account: str
    amount: int
    grant_id: str = ""


class EntryAnswer(Answer):
    """A posting. `unit` is `points`, `bp` (basis points of a rate off), or a currency whose minor units the amounts are. The
    lines sum to zero."""

    position: int
    id: str
    key: str
    at: AwareDatetime
    memo: str
    unit: str
    lines: list[LineAnswer]


class PageAnswer(Answer):
    """Entries in the order of posting; ask again with `after` = `next_after` until that is null."""

    entries: list[EntryAnswer]
    next_after: int | None


class BalanceAnswer(Answer):
    """What an account holds of a unit."""

    account: str
    unit: str
    amount: int


class VerdictAnswer(Answer):
    """Whether the ledger is sound (X3), how many entries were looked at, and each fault in a sentence."""

    ok: bool
    entries: int
    faults: list[str]


def router(desk: Desk) -> APIRouter:
    """The routes under /ledger."""
    routes = APIRouter(prefix="/ledger", tags=["ledger"], route_class=RefusingRoute)

    @routes.get("")
    async def entries(
        after: Annotated[int, Query(ge=0, le=LARGEST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        statement_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    ) -> PageAnswer:
        """Entries with their lines, from the first one after the position `after`; of one statement only, if it is named."""
        found = await desk.read(lambda connection: store.posted(connection, after, limit, statement_id))
        shown = [EntryAnswer.model_validate(entry) for entry in found]
        return PageAnswer(entries=shown, next_after=shown[-1].position if len(shown) == limit else None)

    @routes.get("/accounts")
    async def accounts() -> list[BalanceAnswer]:
        """What every account holds, by account."""
        return [BalanceAnswer.model_validate(balance) for balance in await desk.read(store.balances)]

    @routes.get("/verify")
    async def verify() -> VerdictAnswer:
        """Check the whole ledger: it balances, nothing is there twice, each benefit can be traced to where it came from."""
        found = await desk.read(audit.verdict)
        return VerdictAnswer(ok=not found.faults, entries=found.entries, faults=list(found.faults))

    return routes
