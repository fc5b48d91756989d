"""How it goes with a VTN of 2.0b: apart from the VEN itself, which needs a library that need not be there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

LOST: Final = timedelta(minutes=10)
"""A VTN of which nothing was heard for so long is registered with anew, and is a matter for a person."""


@dataclass
class Status2b:
    """`ven_id` and `registration_id` are the VTN's; `failure` is why we are not registered; `opted` is what we said to the
    events that it has now."""

    started_at: datetime
    ven_id: str | None = None
    registration_id: str | None = None
    heard_at: datetime | None = None
    failure: str = ""
    opted: dict[str, str] = field(default_factory=dict)

    def is_lost(self, now: datetime) -> bool:
        """Whether nothing was heard for too long."""
        return now - (self.heard_at or self.started_at) > LOST

    def concern(self, now: datetime) -> str:
        """Why the VTN is a matter for a person, in a sentence; "" when it is none."""
        if not self.is_lost(now):
            return ""
        since = self.heard_at or self.started_at
        return f"nothing was heard of the 2.0b VTN since {since:%Y-%m-%d %H:%M} UTC: gridstay dr ven status says why"
