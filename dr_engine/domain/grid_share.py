"""One power asked of several facilities together: what of it each is asked for (X5).

    asked of all ──▶ what nobody need be asked for: their baselines ──▶ the change from that, by the room that each has

Powers are W at the grid side, + import.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """What a facility's cars would do by themselves, and the least and the most that they can hold."""

    baseline_w: float
    least_w: float
    most_w: float

    def towards(self, change_w: float) -> float:
        """How far they can go that way."""
        return max(0.0, self.baseline_w - self.least_w if change_w < 0 else self.most_w - self.baseline_w)


def shared_w(total_w: float, rooms: Mapping[str, Room]) -> dict[str, float]:
    """The power of each, in sum the total: its baseline, and of the change a part by its room. Where nobody has any, the
    change is shared evenly."""
    change_w = total_w - sum(room.baseline_w for room in rooms.values())
    free = {name: room.towards(change_w) for name, room in rooms.items()}
    whole = sum(free.values())
    return {
        name: room.baseline_w + change_w * (free[name] / whole if whole else 1 / len(rooms)) for name, room in rooms.items()
    }
