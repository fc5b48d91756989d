"""Against guessing: how often something may be tried, and codes that are good once and for a few minutes."""

import hmac
from collections import OrderedDict, deque
from dataclasses import dataclass
from secrets import randbelow

MOST_KEPT = 10_000
"""Who is remembered; the ones not seen for longest are forgotten first."""
CODE_S = 600.0
CODE_TRIES = 5
CODE_DIGITS = 6


class Limiter:
    """Lets each key through `most` times in `within_s` seconds."""

    def __init__(self, most: int, within_s: float) -> None:
        self._most = most
        self._within_s = within_s
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def lets(self, key: str, now_s: float) -> bool:
        """Whether the key may go on; what is refused does not count."""
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and times[0] <= now_s - self._within_s:
            times.popleft()
        if len(self._seen) > MOST_KEPT:
            self._seen.popitem(last=False)
        if len(times) >= self._most:
            return False
        times.append(now_s)
        return True


@dataclass(slots=True)
class _Issued:
    code: str
    member_id: str
    until_s: float
    tries: int = 0


class Codes:
    """Sign-in codes that are out, by what the guest called themselves. They live in memory: after a restart, ask again."""

    def __init__(self) -> None:
        self._issued: OrderedDict[str, _Issued] = OrderedDict()

    def issue(self, identity: str, member_id: str, now_s: float) -> str:
        """A fresh code; an older one is good no more."""
        code = f"{randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        self._issued[identity] = _Issued(code, member_id, now_s + CODE_S)
        self._issued.move_to_end(identity)
        if len(self._issued) > MOST_KEPT:
            self._issued.popitem(last=False)
        return code

    def redeem(self, identity: str, code: str, now_s: float) -> str | None:
        """The member whose code it is, once; None for a wrong or old one, or after too many tries."""
        issued = self._issued.get(identity)
        if issued is None or issued.until_s <= now_s or issued.tries >= CODE_TRIES:
            return None
        issued.tries += 1
        if not hmac.compare_digest(issued.code.encode(), code.encode()):
            return None
        del self._issued[identity]
        return issued.member_id
