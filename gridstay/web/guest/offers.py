"""Who is told of paid periods can say that they want no more of that: by the link in an offer, without signing in."""

from fastapi import APIRouter, Response

from gridstay.web.site import Site, Visited, page_route


def router(site: Site) -> APIRouter:
    """The page of an offer's last link, which asks once more: messengers look at links by themselves."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/offers/decline/{secret}")
    async def ask(visit: Visited, secret: str) -> Response:
        return visit.page("decline.html", secret=secret, done=False)

    @routes.post("/offers/decline/{secret}")
    async def decline(visit: Visited, secret: str) -> Response:
        """Also what mail programs send by themselves (RFC 8058): the secret is all that is needed."""
        await visit.door.post("offers", "decline", secret)
        return visit.page("decline.html", secret=secret, done=True)

    return routes
