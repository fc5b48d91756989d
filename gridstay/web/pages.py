"""All pages, put on the application that has the API."""

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles

from gridstay.web.door import Door
from gridstay.web.guest import (
    account,
    booking,
    cars,
    embed,
    facilities,
    live,
    offers,
    personal,
    series,
    sign_in,
    stays,
    waiting,
    wallet,
)
from gridstay.web.passes import Passes
from gridstay.web.site import A_YEAR_S, STATIC, Site
from gridstay.web.staff import journal, till, today
from gridstay.web.staff import sign_in as staff_sign_in
from gridstay.web.streams import Streams
from runtime.clock import Clock

ROOMS = (
    *(facilities, embed, booking, live, stays, series, waiting, wallet, account, cars, personal, offers, sign_in),
    *(staff_sign_in, journal, till, today),
)


def open_pages(app: FastAPI, passes: Passes, streams: Streams, *, operator_token: str, clock: Clock) -> None:
    """Serve the pages beside the API that `app` has, which the token opens."""
    site = Site(Door(app, operator_token), passes, clock, streams)
    for room in ROOMS:
        app.include_router(room.router(site), include_in_schema=False)
    app.mount("/static", _Kept(directory=STATIC), name="static")


class _Kept(StaticFiles):
    """Files that browsers keep: another content has another address."""

    def file_response(self, *given: object, **more: object) -> Response:
        answer = super().file_response(*given, **more)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
