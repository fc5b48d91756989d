"""Refusals as HTTP answers: `{"detail": …}` with the status that says whose fault it is."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DataError

from reservation.api.fields import PeriodAnswer
from reservation.domain.refusal import Conflict, Fact, Invalid, NotFree, Reason, Refused, Unknown
from runtime.http import misfit

STATUSES: dict[type[Refused], int] = {Unknown: 404, Invalid: 422, Conflict: 409, NotFree: 409}


class RefusalAnswer(BaseModel):
    """What is wrong and what to do next. `reason` names it for programs, with `facts` of the case: numbers, names, instants
    (RFC 3339)."""

    detail: str
    reason: Reason | None = None
    facts: dict[str, str | int] = {}


class NotFreeAnswer(RefusalAnswer):
    """The period is taken (S202); the nearest free periods of the same length (S208)."""

    alternatives: list[PeriodAnswer] = []


class RefusingRoute(APIRoute):
    """A route that answers refusals."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler with its refusals answered."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            if any("\0" in str(value) for value in request.path_params.values()):
                return refused(Unknown("nothing has such a name"))
            try:
                return await handle(request)
            except Refused as refusal:
                return refused(refusal)
            except DataError:
                return refused(Invalid("a text or a number here is none that a database keeps"))
            except RequestValidationError as error:
                return misfit(error)

        return answer


def refused(refusal: Refused) -> JSONResponse:
    """The answer to a refused request."""
    content: dict[str, Any] = {"detail": str(refusal)}
    if refusal.reason:
        content |= {"reason": refusal.reason, "facts": {name: _written(fact) for name, fact in refusal.facts.items()}}
    if isinstance(refusal, NotFree):
        periods = [PeriodAnswer(start=period.start, end=period.end) for period in refusal.alternatives]
        content["alternatives"] = [period.model_dump(mode="json") for period in periods]
    return JSONResponse(content, STATUSES[type(refusal)])


def _written(fact: Fact) -> str | int:
    return fact.isoformat() if isinstance(fact, datetime) else fact
