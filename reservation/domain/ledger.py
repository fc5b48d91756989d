"""Double-entry bookkeeping that only ever grows (X3): a mistake is put right by another entry, never by a change.

An entry moves one unit, points or basis points or a currency, so points and money never mix. The chart of accounts, where
{kind} is a kind of benefit (its unit: points; bp for `rate_off`; else the facility's currency):

    grid/compensation                       money   where compensation comes from; runs negative: all ever allocated
    facility/{id}/compensation              money   allocated to the facility's cars (S402)
    facility/{id}/undistributed             money   compensation for which nobody delivered
    facility/{id}/{kind}                    unit    issued by the facility; runs negative: what it owes its members
    member/{id}/points                      points  what the member can spend; never below zero
    member/{id}/{kind}/{facility}           unit    the same of the other kinds
    member/{id}/pending/{kind}/{facility}   unit    given, but not to be spent before the statement is final
    expired/{kind}/{facility}               unit    what members did not spend in time
    debt/{member}/{kind}/{facility}         unit    taken back after it was spent; negative until later grants make it good

`reservation.domain.receipt_postings` has the register's accounts. What members have, pending or not, owe, and what has
expired is kept grant by grant: those lines name the grant that they are part of."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from contracts.units import utc

POINTS = "points"
"""The unit of points. Any other unit is an ISO 4217 currency, in minor units."""

GRID = "grid/compensation"


class Unbalanced(ValueError):
    """The entry's lines do not sum to zero, or it has none."""


@dataclass(frozen=True, slots=True)
class Line:
    """An account and what is added to it (negative: taken from it), a whole number of the entry's unit. `grant_id` names the
    benefit that it is part of, on the accounts that are kept benefit by benefit."""

    account: str
    amount: int
    grant_id: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One posting. `key` says what it is for: the same key is posted once for ever. Raises Unbalanced."""

    key: str
    at: datetime
    memo: str
    unit: str
    lines: tuple[Line, ...]

    @property
    def id(self) -> str:
        """The entry's identity, made of its key: posting anew on another machine gives the same."""
        return str(uuid5(NAMESPACE_OID, f"gridstay/ledger/{self.key}"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
        if fault := unbalance(self.lines):
            raise Unbalanced(f"entry {self.key}: {fault}")


@dataclass(frozen=True, slots=True, order=True)
class Balance:
    """What an account holds of a unit."""

    account: str
    unit: str
    amount: int


def member_points(member_id: str) -> str:
    """The account of a member's points."""
    return f"member/{member_id}/points"


def facility_compensation(facility_id: str) -> str:
    """The account of the money allocated to a facility's cars."""
    return f"facility/{facility_id}/compensation"


def facility_undistributed(facility_id: str) -> str:
    """The account of a facility's compensation for which nobody delivered."""
    return f"facility/{facility_id}/undistributed"


def benefit_account(member_id: str, kind: str, facility_id: str) -> str:
    """The account of what a member can spend of a kind."""
    return member_points(member_id) if kind == POINTS else f"member/{member_id}/{kind}/{facility_id}"


def pending_account(member_id: str, kind: str, facility_id: str) -> str:
    """The account of what a member was given and cannot spend yet."""
    return f"member/{member_id}/pending/{kind}/{facility_id}"


def issued_account(facility_id: str, kind: str) -> str:
    """The account out of which a facility gives a kind of benefit."""
    return f"facility/{facility_id}/{kind}"


def expired_account(facility_id: str, kind: str) -> str:
    """The account of what a facility's members did not spend in time."""
    return f"expired/{kind}/{facility_id}"


def debt_account(member_id: str, kind: str, facility_id: str) -> str:
    """The account of what was taken back from a member who had spent it already."""
    return f"debt/{member_id}/{kind}/{facility_id}"


def unbalance(lines: Iterable[Line]) -> str:
    """What is wrong with an entry's lines; empty when they balance."""
    amounts = [line.amount for line in lines]
    if not amounts:
        return "it has no lines"
    return f"its lines sum to {sum(amounts)}, not 0" if sum(amounts) else ""


def transfer(source: str, target: str, amount: int) -> tuple[Line, ...]:
    """The two lines that move an amount; a negative one moves back."""
    return (Line(source, -amount), Line(target, amount))


def balances(entries: Iterable[Entry]) -> tuple[Balance, ...]:
    """What every account holds, in the accounts' order."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        for line in entry.lines:
            sums[line.account, entry.unit] += line.amount
    return tuple(Balance(account, unit, amount) for (account, unit), amount in sorted(sums.items()))


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry as it was read back, not yet believed. `position` rises in the order of posting."""

    position: int
    id: str
    key: str
    at: datetime
    memo: str
    unit: str
    lines: tuple[Line, ...]


def faults(posted: Iterable[Posted]) -> tuple[str, ...]:
    """What is wrong with the ledger, one sentence each; empty when it is sound.

    Every entry balances, no key is there twice, no account holds two units, no member has less than nothing of a benefit,
    and no debt is a credit.
    """
    entries = list(posted)
    found = [f"entry {entry.key}: {fault}" for entry in entries if (fault := unbalance(entry.lines))]
    keys = Counter(entry.key for entry in entries)
    found += [f"key {key} is posted {times} times" for key, times in keys.items() if times > 1]
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    grants: dict[tuple[str, str, str], int] = defaultdict(int)
    for entry in entries:
        for line in entry.lines:
            sums[line.account][entry.unit] += line.amount
            grants[line.account, entry.unit, line.grant_id] += line.amount
    found += [f"{account} mixes {', '.join(sorted(units))}" for account, units in sums.items() if len(units) > 1]
    found += [
        f"{account}{f' of grant {grant}' if grant else ''} is {amount} {unit}, below zero"
        for (account, unit, grant), amount in grants.items()
        if (account.startswith(("member/", "expired/")) or _is_stock(account)) and amount < 0
    ]
    found += [
        f"{account} is {amount} {unit}, above zero"
        for account, units in sums.items()
        for unit, amount in units.items()
        if account.startswith("debt/") and amount > 0
    ]
    return tuple(found)


def _is_stock(account: str) -> bool:
    place, _, name = account.partition("/")
    return place == "facility" and name.partition("/")[2].startswith("stock/")
