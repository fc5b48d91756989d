"""Writes that can be sent again: the same key and the same request get the same answer."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Annotated, TypeVar

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.handlers import register

A = TypeVar("A", bound=BaseModel)

RequiredKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Names this one request. The same key with the same body is answered the same, and done once; with "
        "another body it is refused (409).",
    ),
]


async def once(
    desk: Desk, key: str, door: str, body: BaseModel, work: Callable[[Connection, datetime], A], answer: type[A]
) -> A:
    """The work's answer, or the one that it gave when this key came before. Raises Conflict when the key came with another
    body, or at another door."""
    digest = sha256(f"{door}\n{body.model_dump_json()}".encode()).digest()

    def attempt(connection: Connection, now: datetime) -> object:
        return register.once(connection, key, digest, now, lambda c, at: work(c, at).model_dump(mode="json"))

    return answer.model_validate(await desk.write(attempt))
