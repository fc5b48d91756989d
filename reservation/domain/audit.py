"""Whether the ledger is sound and everything in it can be traced (X3): balance by `ledger.faults`, and beyond it where each
benefit came from and where it went."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from reservation.domain import ledger, receipt_postings
from reservation.domain.compensation import Allocation, posting_keys
from reservation.domain.grant import Grant
from reservation.domain.ledger import Line, Posted
from reservation.domain.till import Deed, Receipt


def faults(
    posted: Sequence[Posted],
    grants: Iterable[Grant],
    allocations: Sequence[Allocation],
    receipts: Sequence[Receipt] = (),
) -> tuple[str, ...]:
    """What is wrong, one sentence each; empty when all is sound. `allocations` hold all revisions, in their order."""
    return (
        *ledger.faults(posted),
        *_without_grant(posted),
        *_of_another(posted, {grant.id: grant for grant in grants}),
        *_not_as_allocated(posted, allocations),
        *_not_as_received(posted, receipts),
    )


def _without_grant(posted: Iterable[Posted]) -> Iterable[str]:
    """What members have belongs to a grant."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in posted:
        for line in entry.lines:
            if line.account.startswith(("member/", "expired/")) and not line.grant_id:
                sums[line.account, entry.unit] += line.amount
    for (account, unit), amount in sums.items():
        if amount:
            yield f"{account} holds {amount} {unit} that belong to no grant"


def _of_another(posted: Iterable[Posted], grants: dict[str, Grant]) -> Iterable[str]:
    """A line that names a grant stands on one of its accounts, in its unit."""
    for entry in posted:
        for line in entry.lines:
            if not line.grant_id:
                continue
            if (grant := grants.get(line.grant_id)) is None:
                yield f"entry {entry.key} names grant {line.grant_id}, which is not known"
            elif (
                line.account not in (grant.available, grant.pending, grant.expired, grant.debt)
            ) or entry.unit != grant.unit:
                yield f"entry {entry.key} has {entry.unit} of grant {grant.id} on {line.account}, which is not its account"


def _not_as_allocated(posted: Iterable[Posted], allocations: Sequence[Allocation]) -> Iterable[str]:
    """What a statement has posted through its revisions is what the newest one says, for money and for benefits."""
    sums = {entry.key: -entry.lines[0].amount for entry in posted if entry.lines}
    for _, group in groupby(allocations, key=lambda one: one.statement_id):
        revisions = list(group)
        shares = {(one.share.session_id, one.share.member_id): one.share for r in revisions for one in r.granted}
        keys = {name: [posting_keys(one, share) for one in revisions] for name, share in shares.items()}
        newest = {(one.share.session_id, one.share.member_id): one for one in revisions[-1].granted}
        for name, of_share in keys.items():
            last = newest.get(name)
            expected = (last.share.amount_minor, last.amount) if last else (0, 0)
            for place, what in enumerate(("money", "benefit")):
                told = sum(sums.get(pair[place], 0) for pair in of_share)
                if told != expected[place]:
                    session, member = name
                    yield (
                        f"statement {revisions[-1].statement_id}, session {session}, member {member}: {what} is "
                        f"{expected[place]} by the newest revision, and {told} in the ledger"
                    )


def _not_as_received(posted: Iterable[Posted], receipts: Sequence[Receipt]) -> Iterable[str]:
    """What was posted for a receipt is what the receipt says, and nothing was posted for a receipt that is not there."""
    told: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for entry in posted:
        deed, _, rest = entry.key.partition("/")
        if deed in set(Deed):
            receipt_id, _, what = rest.partition("/")
            told[f"{deed}/{receipt_id}"]["/".join(what.split("/")[:2])] += entry.lines
    for receipt in receipts:
        lines = told.pop(f"{receipt.deed}/{receipt.id}", {})
        for what, account, amount in _of_receipt(receipt):
            if (found := sum(line.amount for line in lines.get(what, ()) if line.account == account)) != amount:
                yield (
                    f"{receipt.deed} {receipt.number} of {receipt.facility_id}: {account} should get {amount}, "
                    f"and the ledger has {found}"
                )
    yield from (f"{name} is posted, and there is no such receipt" for name in told)


def _of_receipt(receipt: Receipt) -> Iterable[tuple[str, str, int]]:
    """What a receipt should have posted: under which part of the key, on which account, how much."""
    yield "money", receipt_postings.till(receipt.facility_id, receipt.method), receipt.due_minor
    for place, discount in enumerate(receipt.discounts):
        yield f"{discount.kind}/{place}", ledger.issued_account(receipt.facility_id, discount.kind), discount.amount
    yield "earned", ledger.issued_account(receipt.facility_id, ledger.POINTS), -receipt.earned
