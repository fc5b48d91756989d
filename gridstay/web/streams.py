"""Pages that keep themselves up to date: server-sent events, each with a part of a page as it is now.

Streams are bounded: so many in all and so many a person, and none lasts longer than some minutes (a browser opens the next
one by itself). The more there are, the more seldom each looks, so that all together cost so much and no more. Who finds no
room looks at the page again now and then instead.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from fastapi import Response
from fastapi.responses import StreamingResponse

from gridstay.web.door import Refusal
from runtime.clock import Clock

MOST = 200
MOST_EACH = 4
LONGEST_S = 300.0
EVERY_S = 2.0
LOOKS_A_SECOND = 10
"""Of all streams together: each look is two requests to the API."""
NAP_S = 1.0
"""How soon a stream notices that the server ends."""
RETRY_MS = 3_000

Look = Callable[[], Awaitable[str | None]]
"""What is to be shown now, as HTML; None when there is nothing to follow any more."""


class Streams:
    """The streams that are open."""

    def __init__(
        self,
        clock: Clock,
        *,
        most: int = MOST,
        most_each: int = MOST_EACH,
        longest_s: float = LONGEST_S,
        every_s: float = EVERY_S,
        looks_a_second: float = LOOKS_A_SECOND,
    ) -> None:
        self._clock = clock
        self._most, self._most_each = most, most_each
        self._longest_s, self._every_s, self._looks_a_second = longest_s, every_s, looks_a_second
        self._open: Counter[str] = Counter()
        self._ended = False

    def __len__(self) -> int:
        return self._open.total()

    def end(self) -> None:
        """The server ends: every stream does within a second, and no other is opened."""
        self._ended = True

    def answer(self, who: str, look: Look) -> Response:
        """A stream of what `look` gives, for that person; 503 when there is no room for it."""
        if not self._has_room(who):
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "60"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(who, look), media_type="text/event-stream", headers=headers)

    async def _events(self, who: str, look: Look) -> AsyncIterator[str]:
        with self._counted(who) as has_room:
            if not has_room:
                return
            yield f"retry: {RETRY_MS}\n\n"
            until, shown = self._clock.monotonic() + self._longest_s, ""
            while not self._ended and self._clock.monotonic() < until:
                try:
                    now = await look()
                except Refusal:
                    now = None
                if now is None:
                    yield "event: over\ndata:\n\n"
                    return
                yield ":\n\n" if now == shown else _message(now)
                shown = now
                await self._pause()

    async def _pause(self) -> None:
        """Until the next look; cut short when the server ends."""
        until = self._clock.monotonic() + max(self._every_s, len(self) / self._looks_a_second)
        left = NAP_S
        while not self._ended and left >= NAP_S:
            left = until - self._clock.monotonic()
            await self._clock.sleep(min(left, NAP_S))

    def _has_room(self, who: str) -> bool:
        return not self._ended and len(self) < self._most and self._open[who] < self._most_each

    @contextmanager
    def _counted(self, who: str) -> Iterator[bool]:
        """Whether there is room, which is taken until the block ends."""
        has_room = self._has_room(who)
        self._open[who] += has_room
        try:
            yield has_room
        finally:
            self._open[who] -= has_room
            if not self._open[who]:
                del self._open[who]


def _message(text: str) -> str:
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
