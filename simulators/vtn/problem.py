"""Refusals, as OpenADR's `problem` objects."""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from protocols.openadr.objects import Problem
from protocols.openadr.wire import encode


class Refusal(Exception):
    """A request that is not carried out."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


def json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that says why not."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail[:1000])
    return json(encode(told), status, headers)
