"""Hostile stations beside well-behaved ones: does the service stay up, keep its size, and answer the others in time?

`python -m benchmarks.fuzz --seconds 600` starts a service of its own on this machine and prints what came of it.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from benchmarks.rubbish import MESSAGES, rubbish
from benchmarks.service import Service, running
from benchmarks.stations import credentials

FUZZERS = 6
RAW = 4
WELL_BEHAVED = 5
PAUSE_S = 0.05
"""Between two things that one fuzzing station does: together they send some hundred a second."""
WARM_UP_SHARE = 0.4


@dataclass
class Measured:
    """What came of a run. Memory in kB, times in seconds."""

    is_up: bool = False
    resident_before_kb: int = 0
    resident_after_kb: int = 0
    rubbish_sent: int = 0
    answer_times_s: list[float] = field(default_factory=list)
    tracebacks: int = 0

    @property
    def growth(self) -> float:
        """By how much of itself the service has grown since it was warm."""
        return self.resident_after_kb / self.resident_before_kb - 1

    @property
    def p99_s(self) -> float:
        """In which time 99 of 100 messages of well-behaved stations were answered."""
        ordered = sorted(self.answer_times_s)
        return ordered[int(0.99 * (len(ordered) - 1))]


async def measure(seconds: float, folder: Path, seed: int = 1) -> Measured:
    """Start a service, let everybody at it for so long, and measure after a warm-up."""
    async with running(folder) as service:
        measured = Measured()
        random = Random(seed)
        await service.register(*(f"FUZZ-{number}" for number in range(FUZZERS)))
        await service.register(*(f"WELL-{number}" for number in range(WELL_BEHAVED)))
        everybody = [
            *(fuzz(service, f"FUZZ-{number}", Random(random.random()), measured) for number in range(FUZZERS)),
            *(knock(service, Random(random.random()), measured) for _ in range(RAW)),
            *(behave(service, f"WELL-{number}", measured) for number in range(WELL_BEHAVED)),
        ]
        await _at_work(everybody, service, measured, seconds)
        measured.is_up = service.is_up
        measured.tracebacks = service.log.read_text("utf-8", "replace").count("Traceback")
    return measured


async def _at_work(everybody: list[Coroutine[Any, Any, None]], service: Service, measured: Measured, seconds: float) -> None:
    """Let all work at once; the first of the time is warm-up. What breaks a well-behaved station ends the run."""
    tasks = [asyncio.create_task(one) for one in everybody]
    try:
        await _unless_broken(tasks, WARM_UP_SHARE * seconds)
        measured.answer_times_s.clear()
        measured.resident_before_kb = service.resident_kb()
        await _unless_broken(tasks, (1 - WARM_UP_SHARE) * seconds)
        measured.resident_after_kb = service.resident_kb()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _unless_broken(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    broken, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in broken:
        task.result()


async def dial(service: Service, station_id: str) -> ClientConnection:
    """A registered station's connection."""
    return await connect(
        f"{service.url}/ocpp/{station_id}",
        subprotocols=[Subprotocol("ocpp2.0.1")],
        additional_headers=credentials(station_id),
        compression=None,
    )


async def behave(service: Service, station_id: str, measured: Measured) -> None:
    """Boot, then tell states and heartbeats, and take the time of each answer. An error or no answer is raised."""
    loop = asyncio.get_running_loop()
    async with await dial(service, station_id) as socket:
        number = 0
        while True:
            action, payload = MESSAGES[0] if number == 0 else (MESSAGES[1], ("Heartbeat", {}))[number % 2]
            asked = loop.time()
            await socket.send(json.dumps([2, f"{station_id}-{number}", action, payload]))
            await _answered(socket, f"{station_id}-{number}")
            measured.answer_times_s.append(loop.time() - asked)
            number += 1
            await asyncio.sleep(PAUSE_S)


async def _answered(socket: ClientConnection, message_id: str) -> None:
    """Wait for our answer; whatever the service asks meanwhile is not supported here."""
    async with asyncio.timeout(30):
        while (frame := json.loads(await socket.recv()))[:2] != [3, message_id]:
            if frame[0] != 2:
                raise RuntimeError(f"a well-behaved station was answered {frame}")
            await socket.send(json.dumps([4, frame[1], "NotSupported", "", {}]))


async def fuzz(service: Service, station_id: str, random: Random, measured: Measured) -> None:
    """Send rubbish over one connection after the other, reading or not, and leave without a word."""
    while True:
        with suppress(WebSocketException, OSError, TimeoutError):
            socket = await dial(service, station_id)
            try:
                await _talk_rubbish(socket, random, measured)
            finally:
                socket.transport.abort()
        await asyncio.sleep(PAUSE_S)


async def _talk_rubbish(socket: ClientConnection, random: Random, measured: Measured) -> None:
    reads = random.random() < 0.8
    for _ in range(random.randrange(1, 200)):
        async with asyncio.timeout(5):
            await socket.send(rubbish(random))
        measured.rubbish_sent += 1
        await asyncio.sleep(PAUSE_S * random.random())
        while reads and await _drained(socket):
            pass


async def _drained(socket: ClientConnection) -> bool:
    """Whether there was something to read."""
    try:
        async with asyncio.timeout(0.001):  # not `wait_for`, which in Python 3.11 may pass over being cancelled
            await socket.recv()
    except TimeoutError:
        return False
    return True


async def knock(service: Service, random: Random, measured: Measured) -> None:
    """Open sockets and send bytes, halves of handshakes by the byte, or nothing; stay a while, and leave without a word."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(*service.address)
            try:
                for piece in _handshake(random):
                    writer.write(piece)
                    measured.rubbish_sent += 1
                    await asyncio.sleep(PAUSE_S * random.random())
                await asyncio.sleep(random.random())
            finally:
                writer.transport.abort()
        await asyncio.sleep(PAUSE_S)


def _handshake(random: Random) -> list[bytes]:
    """Some bytes that begin like a handshake, or do not."""
    header = credentials("FUZZ-0")["Authorization"]
    request = (
        "GET /ocpp/FUZZ-0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n"
        f"Authorization: {header}\r\n\r\n"
    ).encode()
    match random.randrange(4):
        case 0:
            return [random.randbytes(random.randrange(1, 2_000))]
        case 1:
            return [bytes([byte]) for byte in request[: random.randrange(1, 60)]]
        case 2:
            return [request, random.randbytes(200)]
        case _:
            return []


def told(measured: Measured) -> str:
    """The report, line by line."""
    return "\n".join(
        [
            f"service up:          {'yes' if measured.is_up else 'no'}",
            f"rubbish sent:        {measured.rubbish_sent}",
            f"well-behaved:        {len(measured.answer_times_s)} answers, p99 {measured.p99_s * 1000:.1f} ms",
            f"memory when warm:    {measured.resident_before_kb} kB",
            f"memory at the end:   {measured.resident_after_kb} kB ({measured.growth:+.1%})",
            f"tracebacks logged:   {measured.tracebacks}",
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1, help="of what is random")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(measure(wanted.seconds, Path(folder), wanted.seed))
    sys.stdout.write(told(measured) + "\n")


if __name__ == "__main__":
    main()
