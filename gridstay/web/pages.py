"""All pages, put on the application that has the API."""

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

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
from gridstay.web.site import A_YEAR_S, STATIC, Site, Visit, safe
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
    _say_what_is_wrong(app, site)
    app.mount("/static", _Kept(directory=STATIC), name="static")


def _say_what_is_wrong(app: FastAPI, site: Site) -> None:
    """Whoever asks for a page is answered with one, also where there is none, or where something failed; programs are
    answered as before."""
    failed = app.exception_handlers[Exception]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if not _is_for_people(request):
            return await http_exception_handler(request, error)
        return safe(Visit(site, request).trouble(error.status_code, "trouble.not_found"))

    async def broken(request: Request, error: Exception) -> Response:
        if not _is_for_people(request):
            answered: Response = await failed(request, error)  # type: ignore[misc]
            return answered
        return safe(Visit(site, request).trouble(500, "trouble.failed"))

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, broken)


def _is_for_people(request: Request) -> bool:
    return not request.url.path.startswith("/api") and "text/html" in request.headers.get("accept", "")


class _Kept(StaticFiles):
    """Files that browsers keep: another content has another address."""

    def file_response(self, *given: object, **more: object) -> Response:
        answer = super().file_response(*given, **more)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
