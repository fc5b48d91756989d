"""What the commands that run something run in: uvloop where the platform has it, and a sparing garbage collector."""

import asyncio
import gc
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:  # not made for Windows
    from asyncio import new_event_loop  # type: ignore[assignment]

T = TypeVar("T")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result, in a loop of its own."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def spare_the_collector() -> None:
    """What is there once everything has started stays: the garbage collector need not look through it again and again.
    Messages leave little that refers to itself, so it may look less often, too."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 2, 1_000)


def until_told() -> asyncio.Event:
    """Set by the first signal to stop; the next one is the system's own business and ends the process."""
    told, running = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        told.set()
        for number in STOP_SIGNALS:
            running.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in STOP_SIGNALS:
        running.add_signal_handler(number, tell)
    return told
