"""Small boards and controls for tests of the dispatch."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from dr_engine.domain.board import Board, CarNow, Verdict
from dr_engine.domain.controls import Controls
from dr_engine.domain.dispatch import Step
from dr_engine.domain.sharing import Caps
from tests.dr_engine.domain.strategies import NOW, car, later

NONE = Controls.fresh(0, 2.5)


def control(**values: float) -> Controls:
    """One session, of which these are known."""
    one = Controls.fresh(1, 2.5)
    for name, value in values.items():
        getattr(one, name)[..., 0] = value
    return one


def told(power_w: float, until_s: float = 200, since_s: float = -100, before: Controls | None = None) -> Controls:
    """One session that took a setpoint then (seconds from NOW)."""
    one = (before or control()).take(np.array([0]))
    one.accept(np.array([0]), np.array([float(power_w)]), np.array([at(until_s)]), at(since_s))
    return one


def at(seconds: float) -> float:
    """Seconds of the epoch."""
    return later(seconds).timestamp()


def together(*ones: Controls) -> Controls:
    """Many sessions."""
    columns = ([getattr(one, field.name) for one in ones] for field in fields(Controls))
    return Controls(*(np.concatenate(column, axis=-1) for column in columns)) if ones else NONE


def seen(name: str, soc: float | None = 80, power_w: float | None = 0.0, age_s: float = 5, **more: Any) -> CarNow:
    """A plain car that was sampled so long ago."""
    sampled = None if power_w is None else later(-age_s)
    return CarNow(name, more.pop("car", car()), soc, power_w, sampled, later(-age_s), **more)


def board(
    *cars: CarNow, controls: Mapping[str, Controls] | None = None, step_w: float = 0, caps: Caps | None = None
) -> Board:
    """These cars now; of those without a control nothing is known."""
    known = controls or {}
    return Board.of(NOW, cars, together(*(known.get(one.session_id, control()) for one in cars)), step_w=step_w, caps=caps)


def orders(cars: tuple[CarNow, ...], done: Step) -> dict[str, float]:
    """Session -> what it is told, W."""
    return {
        cars[place].session_id: power for place, power in zip(done.orders.who, done.orders.power_w.tolist(), strict=True)
    }


def counted(cars: tuple[CarNow, ...], done: Step) -> dict[str, float]:
    """Session -> what it is believed to do, W."""
    return dict(zip((one.session_id for one in cars), done.counted_w.tolist(), strict=True))


def verdicts(cars: tuple[CarNow, ...], done: Step) -> dict[str, Verdict]:
    """Session -> how it stands."""
    return dict(zip((one.session_id for one in cars), done.verdicts, strict=True))
