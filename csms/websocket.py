"""Stations' WebSockets: the state machine of `websockets` (its Sans-I/O half) behind asyncio's protocols.

No task is there while a connection stands, and none wakes for a message: what comes is handed on in the very call in which
the loop has read it. A text in one small frame without compression, as nearly all come and go, is read and written here;
everything else is done by the state machine, which also answers pings and decides on close codes.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import Flag, auto
from http import HTTPStatus
from typing import Protocol, cast

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode, apply_mask  # type: ignore[attr-defined]
from websockets.http11 import Request, Response
from websockets.protocol import Protocol as WebSocketProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from runtime.log import Log

OPEN_S = 10.0
"""How long a connection may take from the first octet to the upgrade."""
HANDSHAKE_S = 10.0
"""How long a TLS handshake may take."""
BACKLOG = 4_096
"""Connections that wait to be taken in, at most (the system may allow fewer): who finds no room there tries again only after
1, 2, 4, 8 s and so on, and a door that stands open is then idle."""
CLOSE_S = 5.0
"""How long a station may take to answer a close; one that is gone never does."""
SMALL_DEFLATE = ServerPerMessageDeflateFactory(
    server_max_window_bits=10, client_max_window_bits=10, compress_settings={"memLevel": 3}
)
"""permessage-deflate for a station that offers it (OCPP-J 3.3), with buffers that suit messages of a kilobyte or two."""
_END_OF_REQUEST = b"\r\n\r\n"
_WHOLE_TEXT = 0x80 | Opcode.TEXT
_MASKED = 0x80
_TWO_OCTETS, _EIGHT_OCTETS = 126, 127
"""What stands in a frame's seven bits of length when the length follows in so many octets."""


class Hold(Flag):
    """Why nothing is read from a socket for a while."""

    ARRIVING = auto()
    """It is not decided yet whether the station may come in."""
    UNREAD = auto()
    """It does not read what we write."""
    WAITING = auto()
    """So much of what it said waits already."""


class Listener(Protocol):
    """Who a connection is for, once it is open. Its methods are called in the loop, and must not raise."""

    def heard(self, text: str | bytes) -> None:
        """A message has come: text, or binary."""
        ...

    def alive(self) -> None:
        """Something has come, whatever it is."""
        ...

    def lost(self) -> None:
        """The connection has ended. Nothing comes any more."""
        ...


class StationSocket(asyncio.Protocol):
    """One connection, from its first octet on. Whoever decides about its request calls `accept` or `refuse`; once there is
    somebody to `listen`, messages are read."""

    __slots__ = (
        "_asked_and_no_more",
        "_closed",
        "_deadline",
        "_early",
        "_fragments",
        "_has_ended",
        "_held",
        "_is_plain",
        "_listener",
        "_server",
        "_ws",
        "transport",
    )

    def __init__(self, server: "SocketServer", max_length: int) -> None:
        self._server = server
        self._ws = ServerProtocol(extensions=[SMALL_DEFLATE], max_size=max_length, select_subprotocol=server.choose)
        self._listener: Listener | None = None
        self._early: list[str | bytes] = []  # what came before there was a listener
        self._fragments: list[bytes] | None = None
        self._held = Hold(0)
        self._is_plain = False
        self._has_ended = False  # what we write has ended, which may be before we have decided
        self._asked_and_no_more = False
        self._deadline: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None  # for those who wait for the end
        self.transport: asyncio.Transport

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._ws.state is State.OPEN

    @property
    def close_code(self) -> int | None:
        """The code of their close frame; 1006 where none came, None while the connection stands."""
        return self._ws.close_code

    @property
    def subprotocol(self) -> str:
        """The one that was chosen."""
        return str(self._ws.subprotocol)

    def send(self, text: str) -> None:
        """Send a text; where the connection ends already, nothing."""
        if self._ws.state is not State.OPEN:
            return
        octets = text.encode()
        if self._is_plain:
            self.transport.write(_head(len(octets)) + octets)
        else:
            self._ws.send_text(octets)
            self._flush()

    def ping(self) -> None:
        """Ask whether it is there; what comes back is `alive`."""
        if self.is_open:
            self._ws.send_ping(b"?")
            self._flush()

    def begin_close(self, code: int, reason: str) -> None:
        """Say that we go. The connection ends when the station has answered, or after a while all the same."""
        if self.is_open:
            self._ws.send_close(code, reason)
            self._flush()
        self._set_deadline(CLOSE_S)

    async def close(self, code: int, reason: str) -> None:
        """`begin_close`, and return when the connection has ended."""
        self.begin_close(code, reason)
        if self._ws.state is not State.CLOSED:
            if self._closed is None:
                self._closed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._closed)

    def hold(self, why: Hold) -> None:
        """Read nothing until that is over: the station waits."""
        if not self._held and not self.transport.is_closing():
            self.transport.pause_reading()
        self._held |= why

    def release(self, why: Hold) -> None:
        """That is over."""
        if self._held:
            self._held &= ~why
            if not self._held and not self.transport.is_closing():
                self.transport.resume_reading()

    def listen(self, listener: Listener) -> None:
        """From now on this one is told what comes."""
        self._listener = listener
        early, self._early = self._early, []
        for message in early:
            listener.heard(message)
        if self._ws.state is State.CLOSED:
            listener.lost()
        else:
            self.release(Hold.ARRIVING)

    # The upgrade ------------------------------------------------------------------------------------------------------

    def accept(self, request: Request) -> bool:
        """Upgrade, if the request is one for an upgrade (else it is told what is wrong with it). Whether the connection is
        open now: one that has sent rubbish behind its request is not."""
        if self._has_ended:
            return False
        self._respond(self._ws.accept(request))
        self._is_plain = not self._ws.extensions
        if self.is_open and self._asked_and_no_more:
            self._ws.parser = WebSocketProtocol.parse(self._ws)  # the one that has read the request holds it for ever
            next(self._ws.parser)
        return self.is_open

    def refuse(self, response: Response) -> None:
        """Answer with this and no upgrade."""
        self._respond(response)

    def turn_away(self, status: HTTPStatus, why: str) -> None:
        """Answer so, whoever it is. What was answered already stays."""
        self._respond(self._ws.reject(status, why))

    def _respond(self, response: Response) -> None:
        if self._ws.state is not State.CONNECTING:  # it is gone already, or was answered
            return
        self._ws.send_response(response)
        self._flush()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if not self.is_open:
            self._set_deadline(CLOSE_S)
            self.release(Hold.ARRIVING)

    # asyncio's side ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        self._server.sockets.add(self)
        self._set_deadline(OPEN_S)

    def data_received(self, data: bytes) -> None:
        listener = self._listener
        if listener is not None:
            listener.alive()
            text = self._whole_text(data) if self._is_plain else None
            if text is not None:
                listener.heard(text)
                return
        self._ws.receive_data(data)
        self._asked_and_no_more = data.endswith(_END_OF_REQUEST)
        self._go_on()

    def eof_received(self) -> None:
        self._ws.receive_eof()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ws.receive_eof()
        self._ws.events_received()
        if self._deadline is not None:
            self._deadline.cancel()
        self._server.sockets.discard(self)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        if self._listener is not None:
            self._listener.lost()

    def pause_writing(self) -> None:
        self.hold(Hold.UNREAD)

    def resume_writing(self) -> None:
        self.release(Hold.UNREAD)

    # ------------------------------------------------------------------------------------------------------------------

    def _whole_text(self, data: bytes) -> str | None:
        """The text, if that is all that has come, in one frame; else None, and the state machine reads it."""
        ws = self._ws
        if ws.state is not State.OPEN or ws.reader.buffer or ws.current_size is not None:
            return None
        if len(data) < 8 or data[0] != _WHOLE_TEXT:
            return None
        length, begin = data[1] - _MASKED, 2
        if length == _TWO_OCTETS:
            length, begin = int.from_bytes(data[2:4]), 4
        if not 0 <= length < 65_536 or len(data) != begin + 4 + length:
            return None
        try:
            return apply_mask(data[begin + 4 :], data[begin : begin + 4]).decode()
        except UnicodeDecodeError:
            return None

    def _go_on(self) -> None:
        """What the state machine has made of what came."""
        self._flush()
        for event in self._ws.events_received():
            if isinstance(event, Request):
                self.hold(Hold.ARRIVING)
                self._server.arrived(self, event)
            elif isinstance(event, Frame):
                self._take(event)
        if self._ws.close_expected():
            self._set_deadline(CLOSE_S)

    def _take(self, frame: Frame) -> None:
        """A part of a message, or a message."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            is_text = frame.opcode is Opcode.TEXT
            if frame.fin:
                self._hand_on(bytes(frame.data), is_text)
            else:
                self._fragments = [b"text" if is_text else b"", bytes(frame.data)]
        elif frame.opcode is Opcode.CONT and self._fragments is not None:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                (kind, *parts), self._fragments = self._fragments, None
                self._hand_on(b"".join(parts), bool(kind))

    def _hand_on(self, octets: bytes, is_text: bool) -> None:
        try:
            message = octets.decode() if is_text else octets
        except UnicodeDecodeError as error:
            self._ws.fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
            self._flush()
            return
        if self._listener is None:
            self._early.append(message)
        else:
            self._listener.heard(message)

    def _flush(self) -> None:
        """Write what the state machine wants written. An empty part is the end of what we write."""
        for part in self._ws.data_to_send():
            if self._has_ended:
                continue
            self._has_ended = not part
            if part:
                self.transport.write(part)
            elif self.transport.can_write_eof():
                if not self.transport.is_closing():
                    self.transport.write_eof()
            else:
                self.transport.close()

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.transport.abort)


class SocketServer:
    """Listens. For each request `serve` runs as a task, and has decided about it when it returns; what it raises is logged.
    `choose` names the subprotocol, of those that are offered."""

    def __init__(
        self,
        serve: Callable[[StationSocket, Request], Awaitable[None]],
        choose: Callable[[ServerProtocol, Sequence[Subprotocol]], Subprotocol],
        max_length: int,
        log: Log,
    ) -> None:
        self._serve = serve
        self.choose = choose
        self._max_length = max_length
        self._log = log
        self._arriving: set[asyncio.Task[None]] = set()
        self._is_shutting = False
        self.sockets: set[StationSocket] = set()
        """All that have not ended."""

    @asynccontextmanager
    async def listening(self, listener: socket.socket, context: ssl.SSLContext | None) -> AsyncIterator[None]:
        """Let stations come until the block ends; those who are there are then told that we go away, and waited for."""
        server = await asyncio.get_running_loop().create_server(
            lambda: StationSocket(self, self._max_length),
            sock=listener,
            backlog=BACKLOG,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_S if context else None,
        )
        try:
            yield
        finally:
            self._is_shutting = True
            server.close()
            await asyncio.gather(*self._arriving, return_exceptions=True)
            await asyncio.gather(*(one.close(CloseCode.GOING_AWAY, "") for one in list(self.sockets) if one.is_open))
            for one in list(self.sockets):
                one.transport.abort()
            await server.wait_closed()

    def arrived(self, one: StationSocket, request: Request) -> None:
        """Somebody asks to be let in."""
        if self._is_shutting:
            one.turn_away(HTTPStatus.SERVICE_UNAVAILABLE, "Server is shutting down.\n")
            return
        task = asyncio.create_task(self._decide(one, request), name="arrival")
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _decide(self, one: StationSocket, request: Request) -> None:
        try:
            await self._serve(one, request)
        except Exception as error:  # noqa: BLE001 - one who comes must not keep the others out
            self._log.error("a station could not be let in", path=request.path[:100], exc_info=error)
            one.turn_away(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to open a WebSocket connection.\n")
            one.begin_close(CloseCode.INTERNAL_ERROR, "")


def _head(length: int) -> bytes:
    """What stands before a text of so many octets, in a frame of a server."""
    if length < _TWO_OCTETS:
        return bytes((_WHOLE_TEXT, length))
    if length < 65_536:
        return bytes((_WHOLE_TEXT, _TWO_OCTETS)) + length.to_bytes(2)
    return bytes((_WHOLE_TEXT, _EIGHT_OCTETS)) + length.to_bytes(8)
