"""The linear program of a frame, as sparse arrays (domain study, section 3.3).

Columns: what each entry takes in, what it ends with, what it gives (only where it may), the three steps of each car that may
give, what each asked slot misses above and below, and by how much each limited site breaks a limit. Rows: the balance
of each entry, the power above the knee, the steps' sum, the band of each asked slot, and the sites' limits within reach.
Nothing here binds a car to one direction at a time; `highs.exact` sees to it.
"""

from dataclasses import dataclass

import numpy as np

from dr_engine.domain.car import Floats
from dr_engine.domain.planner.frame import Frame
from dr_engine.domain.planner.problem import Ints, PlanRules

INF = np.inf
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Program:
    """Minimise `cost` @ x within bounds; `begins`, `index`, `value` are the rows. `giving` are the entries that may give,
    `givers` the cars that may, `bent` the entries with a row above the knee, `asked` the slots with a request."""

    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    begins: Ints
    index: Ints
    value: Floats
    giving: Ints
    givers: Ints
    bent: Ints
    asked: Ints
    entries: int

    @property
    def taken(self) -> slice:
        """Columns of what entries take in."""
        return slice(0, self.entries)

    @property
    def ended(self) -> slice:
        """Columns of what entries end with."""
        return slice(self.entries, 2 * self.entries)

    @property
    def given(self) -> slice:
        """Columns of what entries give, in the order of `giving`."""
        return _after(self.ended, len(self.giving))

    @property
    def steps(self) -> slice:
        """Columns of the three steps of each of the `givers`."""
        return _after(self.given, 3 * len(self.givers))

    @property
    def above(self) -> slice:
        """Columns of what is missed above the band, of the `asked` slots."""
        return _after(self.steps, len(self.asked))

    @property
    def below(self) -> slice:
        """Columns of what is missed below the band."""
        return _after(self.above, len(self.asked))

    @property
    def balance_rows(self) -> slice:
        """Rows of the entries' balances."""
        return slice(0, self.entries)

    @property
    def bent_rows(self) -> slice:
        """Rows of the `bent` entries."""
        return _after(self.balance_rows, len(self.bent))

    @property
    def step_rows(self) -> slice:
        """Rows of the `givers`."""
        return _after(self.bent_rows, len(self.givers))

    @property
    def asked_rows(self) -> slice:
        """Rows of the `asked` slots."""
        return _after(self.step_rows, len(self.asked))


def _after(before: slice, count: int) -> slice:
    return slice(before.stop, before.stop + count)


class _Rows:
    """Collects triplets of rows, then sorts them into compressed rows."""

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[Ints] = []
        self._columns: list[Ints] = []
        self._values: list[Floats] = []
        self._lower: list[Floats] = []
        self._upper: list[Floats] = []

    def open(self, lower: Floats, upper: Floats) -> int:
        """Add rows with these bounds; returns the number of the first."""
        first, self.count = self.count, self.count + len(lower)
        self._lower.append(lower)
        self._upper.append(upper)
        return first

    def put(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        """Add coefficients."""
        self._rows.append(rows)
        self._columns.append(columns)
        self._values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), rows.shape))

    def compressed(self) -> tuple[Floats, Floats, Ints, Ints, Floats]:
        """Bounds, then begins, columns and values by row."""
        rows = np.concatenate(self._rows)
        order = np.argsort(rows, kind="stable")
        begins = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=self.count))])
        bounds = np.concatenate(self._lower), np.concatenate(self._upper)
        return *bounds, begins, np.concatenate(self._columns)[order], np.concatenate(self._values)[order]


def program(frame: Frame, rules: PlanRules, may_take: Flags | None = None, may_give: Flags | None = None) -> Program:
    """The program of a frame. `may_take` and `may_give` say which entries may use which direction (None: all)."""
    entries, slots = len(frame.slot), len(frame.hours)
    most_in = frame.most_in if may_take is None else np.where(may_take, frame.most_in, 0.0)
    most_out = frame.most_out if may_give is None else np.where(may_give, frame.most_out, 0.0)
    giving = np.flatnonzero(most_out > 0)
    givers = np.unique(frame.car[giving])
    asked = np.flatnonzero(~np.isnan(frame.target))
    limits = limited(frame)
    taken, ended = np.arange(entries), entries + np.arange(entries)
    given = 2 * entries + np.arange(len(giving))
    steps = 2 * entries + len(giving) + np.arange(3 * len(givers))
    above = 2 * entries + len(giving) + 3 * len(givers) + np.arange(len(asked))
    below = above + len(asked)
    over = (below[-1] if len(below) else (steps[-1] if len(steps) else 2 * entries + len(giving) - 1)) + 1
    overs = over + np.arange(len(limits))
    rows = _Rows()
    _balance(frame, rows, taken, ended, given, giving)
    bent = _taper(frame, rows, taken, ended)
    _steps(frame, rows, given, giving, givers, steps)
    _band(frame, rows, asked, taken, given, giving, above, below)
    _sites(frame, rows, limits, taken, given, giving, overs)
    price = frame.price[frame.slot]
    third = frame.third[givers]
    factor = np.array(rules.wear_steps) * rules.wear_price
    row_lower, row_upper, begins, index, value = rows.compressed()
    spare = np.zeros
    missing = np.full(2 * len(asked), rules.missed_price) * np.tile(frame.hours[asked], 2)
    breaking = rules.over_price * frame.hours[limits % slots]
    return Program(
        cost=np.concatenate(
            [price, spare(entries), rules.wear_price - price[giving], np.tile(factor, len(givers)), missing, breaking]
        ),
        lower=np.concatenate(
            [spare(entries), frame.floor, spare(len(giving) + 3 * len(givers) + len(missing) + len(limits))]
        ),
        upper=np.concatenate(
            [most_in, frame.ceiling, most_out[giving], np.repeat(third, 3), np.full(len(missing) + len(limits), INF)]
        ),
        row_lower=row_lower,
        row_upper=row_upper,
        begins=begins,
        index=index,
        value=value,
        giving=giving,
        givers=givers,
        bent=bent,
        asked=asked,
        entries=entries,
    )


def _balance(frame: Frame, rows: _Rows, taken: Ints, ended: Ints, given: Ints, giving: Ints) -> None:
    """What an entry ends with is what it began with, and what it took and gave."""
    is_first = np.zeros(len(frame.slot), dtype=bool)
    present = np.diff(frame.begins) > 0
    is_first[frame.begins[:-1][present]] = True
    start = np.where(is_first, frame.start[frame.car], 0.0)
    first = rows.open(start, start)
    rows.put(first + taken, ended, 1.0)
    later = np.flatnonzero(~is_first)
    rows.put(first + later, ended[later - 1], -1.0)
    rows.put(first + taken, taken, -frame.charge_efficiency)
    rows.put(first + giving, given, 1 / frame.discharge_efficiency)


def _taper(frame: Frame, rows: _Rows, taken: Ints, ended: Ints) -> Ints:
    """Above the knee an entry takes at most what the curve leaves at its mean energy. Returns those entries."""
    slope, knee = frame.slope[frame.car], frame.knee[frame.car]
    bent = np.flatnonzero((slope > 0) & (frame.most_in > 0))
    pull = frame.most_in[bent] * slope[bent] / 2
    start = frame.start[frame.car[bent]]
    is_first = np.isin(bent, frame.begins[:-1])
    most = frame.most_in[bent] * (1 + slope[bent] * knee[bent]) - np.where(is_first, pull * start, 0.0)
    first = rows.open(np.full(len(bent), -INF), most)
    row = first + np.arange(len(bent))
    rows.put(row, taken[bent], 1.0)
    rows.put(row, ended[bent], pull)
    rows.put(row[~is_first], ended[bent[~is_first] - 1], pull[~is_first])
    return bent


def _steps(frame: Frame, rows: _Rows, given: Ints, giving: Ints, givers: Ints, steps: Ints) -> None:
    """All that a car gives is in one of its steps."""
    first = rows.open(np.zeros(len(givers)), np.zeros(len(givers)))
    rows.put(first + np.searchsorted(givers, frame.car[giving]), given, 1.0)
    rows.put(first + np.repeat(np.arange(len(givers)), 3), steps, -1.0)


def _band(frame: Frame, rows: _Rows, asked: Ints, taken: Ints, given: Ints, giving: Ints, above: Ints, below: Ints) -> None:
    """The fleet's power is inside the band of what is asked, but for what is missed."""
    target, band = frame.target[asked], frame.band[asked]
    first = rows.open(target - band, target + band)
    row_of = np.full(len(frame.hours), -1)
    row_of[asked] = first + np.arange(len(asked))
    row = row_of[frame.slot]
    in_it = np.flatnonzero(row >= 0)
    rows.put(row[in_it], taken[in_it], 1 / frame.hours[frame.slot[in_it]])
    out = row[giving] >= 0
    rows.put(row[giving][out], given[out], -1 / frame.hours[frame.slot[giving][out]])
    rows.put(row_of[asked], below, 1.0)
    rows.put(row_of[asked], above, -1.0)


def limited(frame: Frame) -> Ints:
    """The places (site x slot) where the cars could break a limit: the others need no row."""
    sites, slots = frame.import_kw.shape
    place = frame.site[frame.car] * slots + frame.slot
    most = np.bincount(place, frame.most_in, sites * slots).reshape(sites, slots) / frame.hours
    least = np.bincount(place, frame.most_out, sites * slots).reshape(sites, slots) / frame.hours
    return np.flatnonzero((most > frame.import_kw) | (least > frame.export_kw))


def _sites(frame: Frame, rows: _Rows, limits: Ints, taken: Ints, given: Ints, giving: Ints, overs: Ints) -> None:
    """A site's cars stay inside its limits; where promises leave no way, as little outside as can be."""
    sites, slots = frame.import_kw.shape
    upper, lower = frame.import_kw.ravel()[limits], -frame.export_kw.ravel()[limits]
    row_of = np.full(sites * slots, -1)
    for bound_lower, bound_upper, sign in (
        (np.full(len(limits), -INF), upper, -1.0),
        (lower, np.full(len(limits), INF), 1.0),
    ):
        first = rows.open(bound_lower, bound_upper)
        row_of[limits] = first + np.arange(len(limits))
        row = row_of[frame.site[frame.car] * slots + frame.slot]
        in_it = np.flatnonzero(row >= 0)
        rows.put(row[in_it], taken[in_it], 1 / frame.hours[frame.slot[in_it]])
        out = row[giving] >= 0
        rows.put(row[giving][out], given[out], -1 / frame.hours[frame.slot[giving][out]])
        rows.put(row_of[limits], overs, sign)
