"""The service's HTTP API under one router, without prefix and without authentication: whoever mounts it adds both."""

from fastapi import APIRouter

from reservation.api import (
    benefits,
    bookings,
    contacts,
    facilities,
    free,
    ledger,
    members,
    messages,
    receipts,
    register,
    waiting,
    wallet,
)
from reservation.api.desk import Desk

__all__ = ["Desk", "router"]


def router(desk: Desk) -> APIRouter:
    """All routes."""
    whole = APIRouter()
    for part in (
        facilities,
        members,
        contacts,
        messages,
        bookings,
        free,
        waiting,
        benefits,
        register,
        receipts,
        wallet,
        ledger,
    ):
        whole.include_router(part.router(desk))
    return whole
