"""Money as a VTN tells it."""

from typing import Any

import msgspec
import pytest

from dr_engine.domain.grid_statement import NoStatement, Told, is_statement, states_money, told
from protocols.openadr.objects import Event
from protocols.openadr.wire import decode

MONEY = {"X_STATEMENT": "st-1", "X_STATEMENT_EVENT": "e1", "X_STATEMENT_TOTAL": 1200}


def event(values: dict[str, Any], currency: str | None = "JPY") -> Event:
    payloads = [{"type": name, "values": [value]} for name, value in values.items()]
    descriptor = {"payloadType": "X_STATEMENT_TOTAL", "currency": currency}
    given = {"programID": "p", "payloadDescriptors": [descriptor], "intervals": [{"id": 0, "payloads": payloads}]}
    return decode(Event, given)


def test_S400_an_event_may_state_money() -> None:
    assert told(event(MONEY)) == Told("st-1", "e1", 0, 1200, "JPY", is_final=False)
    more = MONEY | {"X_STATEMENT_REVISION": 2, "X_STATEMENT_FINAL": True, "X_STATEMENT_TOTAL": 5.0}
    assert told(event(more, "EUR")) == Told("st-1", "e1", 2, 5, "EUR", is_final=True)
    assert is_statement(event(MONEY))
    assert not is_statement(event({"PRICE": 1}))
    assert not states_money(event({"PRICE": 1}))


def test_S400_the_money_may_be_added_to_the_event_that_is_paid_for() -> None:
    paid = event({"DISPATCH_SETPOINT": -5} | {name: value for name, value in MONEY.items() if name != "X_STATEMENT_EVENT"})
    paid = msgspec.structs.replace(paid, id="e7")
    assert states_money(paid)
    assert not is_statement(paid)
    assert told(paid).event_id == "e7"
    assert not is_statement(msgspec.structs.replace(event(MONEY), id="e1"))


def test_S400_a_part_of_the_money_may_be_for_capacity() -> None:
    assert told(event(MONEY | {"X_STATEMENT_CAPACITY": 200})).capacity_minor == 200
    with pytest.raises(NoStatement, match="X_STATEMENT_CAPACITY"):
        told(event(MONEY | {"X_STATEMENT_CAPACITY": 1201}))


@pytest.mark.parametrize(
    ("values", "currency"),
    [
        (MONEY, "XAU"),
        (MONEY, None),
        (MONEY | {"X_STATEMENT": ""}, "JPY"),
        (MONEY | {"X_STATEMENT_EVENT": 7}, "JPY"),
        (MONEY | {"X_STATEMENT_TOTAL": -1}, "JPY"),
        (MONEY | {"X_STATEMENT_TOTAL": 0.5}, "JPY"),
        (MONEY | {"X_STATEMENT_TOTAL": True}, "JPY"),
        (MONEY | {"X_STATEMENT_TOTAL": "1200"}, "JPY"),
        (MONEY | {"X_STATEMENT_REVISION": -1}, "JPY"),
        (MONEY | {"X_STATEMENT_FINAL": 1}, "JPY"),
        ({"X_STATEMENT": "st-1"}, "JPY"),
        ({"X_STATEMENT": "st-1", "X_STATEMENT_TOTAL": 5}, "JPY"),
    ],
)
def test_S400_what_states_no_money_is_refused(values: dict[str, Any], currency: str | None) -> None:
    with pytest.raises(NoStatement):
        told(event(values, currency))
