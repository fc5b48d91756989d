"""The central system's HTTP door, one file a subject; to be mounted under /api."""

from fastapi import APIRouter

from csms.api import (
    availability,
    certificates,
    charging,
    commands,
    device_model,
    displays,
    firmware,
    local_list,
    meter_keys,
    monitoring,
    notified,
    payments,
    pki,
    provisioning,
    remote,
    reservations,
    sessions,
    stations,
    tariffs,
    tokens,
    uploads,
    v2x,
)
from csms.api.doors import Doors

_SUBJECTS = (
    *(stations, commands, availability, charging, device_model, displays, firmware, local_list, monitoring, notified),
    *(provisioning, remote, reservations, tokens, sessions, tariffs, payments, uploads, certificates, v2x, meter_keys),
)


def router(doors: Doors) -> APIRouter:
    """All routes."""
    return APIRouter(routes=[route for subject in _SUBJECTS for route in subject.router(doors).routes])


def open_router(doors: Doors) -> APIRouter:
    """The routes for stations and others, who have no operator's token."""
    api = APIRouter()
    api.include_router(uploads.upload_router(doors))
    api.include_router(pki.router(doors), prefix="/pki")
    return api
