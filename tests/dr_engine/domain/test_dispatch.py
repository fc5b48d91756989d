"""One step of a dispatch."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.board import ALL_OUT, CarNow, DispatchRules, Verdict
from dr_engine.domain.car import Car, Physics
from dr_engine.domain.controls import Controls
from dr_engine.domain.dispatch import State, Step, step
from dr_engine.domain.sharing import Caps
from dr_engine.domain.viability import interval
from tests.dr_engine.domain.boards import at, board, control, orders, seen, told
from tests.dr_engine.domain.strategies import NOW, car, cars, later

RULES = DispatchRules()
PHYSICS = Physics()
END = later(3600)


def decide(
    request_w: float,
    *fleet: CarNow,
    controls: Mapping[str, Controls] | None = None,
    state: State | None = None,
    rules: DispatchRules = RULES,
    step_w: float = 0,
    caps: Caps | None = None,
) -> Step:
    now = board(*fleet, controls=controls, step_w=step_w, caps=caps)
    return step(now, request_w, END, state or State(), rules, PHYSICS)


def until(done: Step) -> list[float]:
    """Seconds from now to the ends of the orders."""
    return [end - at(0) for end in done.orders.until_s]


A, B, C = seen("a"), seen("b"), seen("c")


def test_S306_the_request_is_shared_and_the_orders_say_until_when() -> None:
    done = decide(-12_000, A, B)
    assert orders((A, B), done) == {"a": -6_000, "b": -6_000}
    assert until(done) == [300, 300]
    assert (done.shortfall_w, done.note, done.commanded_w) == (0, "", -12_000)


def test_X1_a_car_that_needs_every_watt_is_told_more_than_its_limit_and_counts_as_measured() -> None:
    must = replace(seen("a", soc=30), car=car(wanted=80, hours=1))
    assert orders((must,), decide(-2_000, must)) == {"a": 11_000}
    done = decide(-2_000, replace(must, sample_w=9_700.0), controls={"a": told(11_000, until_s=290)})
    assert not done.orders.who.size
    assert (done.counted_w.tolist(), done.verdicts) == ([9_700], [Verdict.FOLLOWING])


def test_the_dead_man_never_outlives_the_event() -> None:
    done = step(board(A), -5_000, later(100), State(), RULES, PHYSICS)
    assert until(done) == [100]


def test_X1_the_dead_man_ends_before_the_floor_is_reached() -> None:
    low = replace(A, car=car(wanted=20, floor=20), soc_pct=22)
    assert 170 < until(decide(-10_000, low))[0] < 210  # 600 Wh above floor and margin, 10.75 kW out of the battery


def test_what_is_out_of_reach_is_said_and_the_nearest_is_delivered() -> None:
    done = decide(-50_000, A, B)
    assert done.commanded_w == -20_000
    assert done.shortfall_w == -30_000
    assert done.note == "out of reach: -30000 W missing"


def test_X1_a_car_that_must_charge_charges_and_the_others_give_more() -> None:
    must = replace(seen("a", soc=30), car=car(wanted=80, hours=1))
    done = decide(-2_000, must, B, C)
    assert done.counted_w[0] == pytest.approx(10_000)
    assert done.commanded_w == pytest.approx(-2_000, abs=2)


def test_nothing_is_sent_while_setpoints_still_do() -> None:
    controls = {"a": told(-6_000, 290), "b": told(-6_050, 290)}
    done = decide(-12_000, seen("a", power_w=-6_000), seen("b", power_w=-6_050), controls=controls)
    assert not done.orders.who.size


@pytest.mark.parametrize(("until_s", "renewed"), [(290, False), (245, False), (239, True), (10, True)])
def test_a_setpoint_is_renewed_when_that_lengthens_its_life(until_s: float, renewed: bool) -> None:
    done = decide(-6_000, seen("a", power_w=-6_000), controls={"a": told(-6_000, until_s)})
    assert bool(done.orders.who.size) is renewed


@pytest.mark.parametrize(
    ("last", "power_w"),
    [(told(-7_000), -7_000), (told(-7_000, until_s=-1), 10_000), (control(), 10_000)],
    ids=["its profile lives", "its profile has died", "it had none"],
)
def test_X2_an_unreachable_car_counts_with_what_it_was_told_last(last: Controls, power_w: float) -> None:
    gone = replace(seen("a", power_w=-7_000), reachable=False)
    done = decide(-10_000, gone, B, C, controls={"a": last})
    assert done.counted_w[0] == power_w
    assert done.verdicts[0] is Verdict.OFFLINE
    assert done.commanded_w == pytest.approx(max(-10_000, power_w - 20_000))
    assert set(orders((gone, B, C), done)) == {"b", "c"}


def test_X2_a_silent_car_is_not_counted_on() -> None:
    done = decide(-10_000, seen("a", age_s=100), B, controls={"a": told(-4_000)})
    assert done.verdicts[0] is Verdict.SILENT
    assert done.counted_w.tolist() == [-4_000, -6_000]


def test_a_full_car_that_nobody_hears_counts_with_nothing() -> None:
    assert decide(5_000, replace(seen("a", soc=100), reachable=False)).counted_w.tolist() == [0]


def test_X2_the_danger_case_gets_0_W_once_and_its_share_goes_to_the_others() -> None:
    suspected = told(-8_000)
    suspected.deviating_s[0] = at(-15)
    fleet = (seen("a", power_w=11_000), B, C)
    done = decide(-6_000, *fleet, controls={"a": suspected})
    assert done.verdicts[0] is Verdict.NOT_FOLLOWING
    assert orders(fleet, done) == {"a": 0, "b": -8_500, "c": -8_500}
    stopped = told(0, 300, 0, before=done.controls)
    assert "a" not in orders(fleet, decide(-6_000, *fleet, controls={"a": stopped}))


def test_X2_a_car_that_did_not_follow_is_tried_again_mildly_and_still_counted_as_measured() -> None:
    out = told(0, until_s=-5)
    out.out_until_s[0], out.stopped[0] = at(-1), True
    done = decide(-6_000, seen("a", power_w=11_000), B, C, controls={"a": out})
    assert done.verdicts[0] is Verdict.TRIAL
    assert done.counted_w[0] == 11_000
    assert done.orders.power_w[0] == 6_600


def test_accepted_is_not_applied_a_deviating_car_counts_as_measured_at_once() -> None:
    done = decide(-10_000, A, B, controls={"a": told(-5_000)})
    assert done.verdicts[0] is Verdict.DEVIATING
    assert done.counted_w.tolist() == [0, -10_000]


def test_a_refusing_car_counts_as_measured() -> None:
    done = decide(-6_000, seen("a", power_w=3_000), B, controls={"a": control(refused_until_s=at(20))})
    assert done.counted_w.tolist() == [3_000, -9_000]


def test_a_car_of_unknown_soc_is_never_commanded() -> None:
    done = decide(-6_000, seen("a", soc=None, power_w=2_000), B)
    assert done.verdicts[0] is Verdict.UNKNOWN_SOC
    assert done.counted_w.tolist() == [2_000, -8_000]


def test_what_is_in_flight_counts_and_is_not_sent_again() -> None:
    fleet = (replace(A, in_flight_w=-3_000), B)
    assert orders(fleet, decide(-6_000, *fleet)) == {"b": -3_000}


def test_X2_what_converters_are_off_is_learned_by_car_and_the_rest_is_corrected_slowly_and_within_a_clamp() -> None:
    controls = {"a": told(-6_000), "b": told(-6_000)}
    fleet = (seen("a", power_w=-5_700), seen("b", power_w=-5_700))
    done = decide(-12_000, *fleet, controls=controls, state=State(0.0, at(-5)))
    assert done.controls.gain.tolist() == pytest.approx([0.9875, 0.9875])
    assert 0 < done.state.correction_w < 450
    late = decide(-12_000, *fleet, controls=controls, state=State(0.0, at(-500)))
    assert late.state.correction_w == pytest.approx(450)
    assert late.commanded_w == pytest.approx(-12_450, abs=1)
    assert sum(late.orders.power_w) == pytest.approx(-12_450 / 0.9875, abs=1)
    tight = replace(RULES, correction_clamp=0.01)
    clamped = decide(-12_000, *fleet, controls=controls, state=State(0.0, at(-500)), rules=tight)
    assert clamped.state.correction_w == 120


def test_the_correction_does_not_wind_up_while_the_request_is_out_of_reach() -> None:
    controls = {"a": told(-10_000)}
    done = decide(-50_000, seen("a", power_w=-10_000), controls=controls, state=State(0.0, at(-5)))
    assert done.state.correction_w == 0


def test_the_correction_goes_on_through_an_edge_of_the_request() -> None:
    controls = {"a": told(-6_000)}
    before = State(300.0, at(0), -6_000.0, -6_000.0, at(-100))
    done = decide(-3_000, seen("a", power_w=-6_000), controls=controls, state=before)
    assert (done.state.correction_w, done.state.request_w) == (300, -3_000)
    assert done.commanded_w == pytest.approx(-3_300)


@pytest.mark.parametrize(("gone_s", "asked_w"), [(0, -4_000), (15, -10_000), (40, -12_000)])
def test_X2_a_new_request_is_reached_in_a_straight_line_from_what_the_fleet_did(gone_s: float, asked_w: float) -> None:
    rules = replace(RULES, ramp_s=30, horizon_s=30)  # ticks of 10 s: the first one is a third of the way
    begun = State(0.0, at(-gone_s), -12_000.0, 0.0, at(-gone_s)) if gone_s else State()
    done = decide(-12_000, A, B, rules=rules, state=begun)
    assert done.commanded_w == pytest.approx(asked_w)


def test_only_as_few_setpoints_change_as_bring_the_sum_back() -> None:
    fleet = tuple(seen(f"{n}", power_w=-5_000) for n in range(8))
    controls = {one.session_id: told(-5_000, until_s=290) for one in fleet}
    rules = replace(RULES, dead_band=0.02)
    done = decide(-41_000, *fleet, controls=controls, rules=rules)  # 125 W for each: below what is worth a message
    assert len(orders(fleet, done)) == 5
    assert done.commanded_w == pytest.approx(-41_000, abs=410)


def test_a_charger_gives_nothing_or_at_least_its_least() -> None:
    fleet = tuple(seen(f"{n}", soc=80 - n) for n in range(10))
    done = decide(-5_000, *fleet, step_w=1_400)
    used = {name: power for name, power in orders(fleet, done).items() if power}
    assert sum(used.values()) == pytest.approx(-5_000)
    assert set(used) == {"0"}  # the fullest carries it alone
    assert all(power <= -1_400 for power in used.values())


def test_a_site_s_limit_holds_whatever_is_asked_and_counts_those_that_cannot_be_moved() -> None:
    caps = Caps(np.array([0, 0, 1]), np.array([-7_000.0, -np.inf]), np.array([np.inf, np.inf]))
    done = decide(-16_000, replace(A, reachable=False), B, C, controls={"a": told(-3_000)}, caps=caps)
    assert done.counted_w.tolist() == [-3_000, -4_000, -9_000]
    assert done.note == ""


def test_X1_promises_come_before_a_site_s_limit_and_that_is_said() -> None:
    must = replace(seen("a", soc=30), car=car(wanted=80, hours=1))
    caps = Caps(np.zeros(2, dtype=np.int64), np.array([-np.inf]), np.array([4_000.0]))
    done = decide(2_000, must, replace(B, car=car(discharge=0)), caps=caps)
    assert done.counted_w[0] == pytest.approx(10_000)
    assert "beyond its limit" in done.note


def test_the_plan_is_followed_where_it_meets_the_request() -> None:
    fleet = (replace(A, planned_w=-2_000.0), replace(B, planned_w=-10_000.0))
    assert orders(fleet, decide(-12_000, *fleet)) == {"a": -2_000, "b": -10_000}
    assert orders(fleet, decide(-11_000, *fleet))["b"] > -10_000


def test_who_has_given_more_of_what_it_could_gives_less() -> None:
    had = {"a": control(served_wh=4_000, able_wh=5_000, event_s=END.timestamp()), "b": control(able_wh=5_000)}
    had["b"].event_s[0] = END.timestamp()
    told_w = orders((A, B), decide(-12_000, A, B, controls=had))
    assert told_w["b"] < told_w["a"] < 0
    even = orders((A, B), decide(-12_000, A, B, controls=had, rules=replace(RULES, fairness=0)))
    assert even["a"] == even["b"]


def test_an_empty_pool_is_no_error() -> None:
    assert decide(-5_000).note == "out of reach: -5000 W missing"


fleets = st.lists(st.tuples(cars, st.floats(0, 100), st.floats(-10_000, 11_000), st.booleans()), min_size=1, max_size=8)


@settings(deadline=None)
@given(fleets, st.floats(-80_000, 80_000), st.sampled_from([0.0, 1_400.0]))
def test_X1_no_order_is_ever_outside_what_is_viable(
    fleet: list[tuple[Car, float, float, bool]], request_w: float, step_w: float
) -> None:
    now = [
        replace(seen(str(n), soc, power), car=one, reachable=reachable)
        for n, (one, soc, power, reachable) in enumerate(fleet)
    ]
    done = decide(request_w, *now, step_w=step_w)
    for place, power_w, end_s in zip(done.orders.who, done.orders.power_w, done.orders.until_s, strict=True):
        one = now[place]
        assert one.soc_pct is not None
        found = interval(one.car, one.soc_pct, NOW, RULES.horizon_s, PHYSICS)
        all_out = found.lo_w >= found.hi_w - 1 and power_w == round(ALL_OUT * one.car.charge_w)
        assert all_out or found.lo_w - 1 <= power_w <= found.hi_w + 1
        assert one.reachable
        assert NOW.timestamp() < end_s <= min(END, one.car.depart).timestamp()


@settings(deadline=None, max_examples=50)
@given(fleets, st.floats(-80_000, 80_000))
def test_the_order_of_the_cars_does_not_matter(fleet: list[tuple[Car, float, float, bool]], request_w: float) -> None:
    now = [replace(seen(str(n), soc, power), car=one) for n, (one, soc, power, _) in enumerate(fleet)]
    there, back = decide(request_w, *now), decide(request_w, *now[::-1])
    assert back.counted_w[::-1].tolist() == pytest.approx(there.counted_w.tolist(), abs=1.01)
    assert back.verdicts[::-1] == there.verdicts
