"""Money as a VTN tells it."""

from typing import Any

import pytest

from dr_engine.domain.grid_statement import NoStatement, Told, is_statement, told
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
    ],
)
def test_S400_what_states_no_money_is_refused(values: dict[str, Any], currency: str | None) -> None:
    with pytest.raises(NoStatement):
        told(event(values, currency))
