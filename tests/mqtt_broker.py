"""A broker for tests: MQTT 3.1.1 without sessions, with quality of service 0 and 1, on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14


@dataclass
class Broker:
    """`credentials` are those of each client that came."""

    port: int = 0
    subscribed: list[tuple[str, asyncio.StreamWriter]] = field(default_factory=list)
    credentials: list[tuple[str | None, str | None]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    server: asyncio.Server | None = None

    @property
    def uri(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def topics(self) -> list[str]:
        return [topic for topic, _ in self.subscribed]

    async def stop(self) -> None:
        """Nobody answers any more; all connections are cut."""
        if self.server is not None:
            self.server.close()
        for writer in tuple(self.writers):
            writer.close()
        await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                kind, flags, body = await _packet(reader)
                if kind == DISCONNECT:
                    return
                self._answer(kind, flags, body, writer)
        except asyncio.IncompleteReadError:
            return
        finally:
            self.writers.discard(writer)
            self.subscribed = [one for one in self.subscribed if one[1] is not writer]
            writer.close()

    def _answer(self, kind: int, flags: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        if kind == CONNECT:
            self.credentials.append(_credentials(body))
            writer.write(b"\x20\x02\x00\x00")
        elif kind == SUBSCRIBE:
            topic, _ = _text(body, 2)
            self.subscribed.append((topic, writer))
            writer.write(b"\x90\x03" + body[:2] + b"\x00")
        elif kind == PINGREQ:
            writer.write(b"\xd0\x00")
        elif kind == PUBLISH:
            self._publish(flags, body, writer)

    def _publish(self, flags: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        topic, at = _text(body, 0)
        self.published.append(topic)
        if flags & 0b110:
            writer.write(b"\x40\x02" + body[at : at + 2])
            at += 2
        content = body[: 2 + len(topic.encode())] + body[at:]
        for wanted, other in self.subscribed:
            if _matches(wanted, topic):
                other.write(bytes([PUBLISH << 4]) + _length(len(content)) + content)


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    (first,) = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        (octet,) = await reader.readexactly(1)
        length |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            return first >> 4, first & 15, await reader.readexactly(length)


def _length(number: int) -> bytes:
    found = bytearray()
    while True:
        number, octet = divmod(number, 128)
        found.append(octet | (128 if number else 0))
        if not number:
            return bytes(found)


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode(), end


def _credentials(body: bytes) -> tuple[str | None, str | None]:
    flags = body[7]
    _, at = _text(body, 10)
    username = password = None
    if flags & 128:
        username, at = _text(body, at)
    if flags & 64:
        password, at = _text(body, at)
    return username, password


def _matches(wanted: str, topic: str) -> bool:
    pattern, given = wanted.split("/"), topic.split("/")
    return len(pattern) == len(given) and all(one in ("+", other) for one, other in zip(pattern, given, strict=True))


@asynccontextmanager
async def broker(port: int = 0) -> AsyncIterator[Broker]:
    """Serve until the block ends; then all connections are cut."""
    found = Broker()
    found.server = await asyncio.start_server(found.serve, "127.0.0.1", port)
    found.port = found.server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        await found.stop()
