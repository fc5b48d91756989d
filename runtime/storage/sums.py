"""Sums that are the same on every engine."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func


def total(column: ColumnElement[int]) -> ColumnElement[Any]:
    """The sum of a column of whole numbers, as a whole number: PostgreSQL makes a decimal of it."""
    return cast(func.sum(column), BigInteger)
