"""Token buckets, in each process: how much of the API one key or one address may use.

They keep one caller from taking the server away from the others. What guards secrets is their length, not this.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from iamconsole.errors import Throttling

BURST_SECONDS = 10


@dataclass
class Budget:
    """A bucket for each key, which refills at ``per_second`` and holds what ten seconds bring."""

    per_second: float
    most_keys: int = 10_000
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)  # key: tokens, and when counted
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def require(self, key: str, *, now: float | None = None) -> None:
        """Raise Throttling when nothing is left for ``key``. Takes nothing."""
        with self._lock:
            if self._tokens(key, time.monotonic() if now is None else now) < 1:
                raise Throttling("Rate exceeded")

    def take(self, key: str, *, now: float | None = None) -> None:
        """Take one token, down to none."""
        moment = time.monotonic() if now is None else now
        with self._lock:
            self._left[key] = (max(0.0, self._tokens(key, moment) - 1), moment)
            self._left.move_to_end(key)
            while len(self._left) > self.most_keys:
                self._left.popitem(last=False)

    def _tokens(self, key: str, now: float) -> float:
        full = max(1.0, self.per_second * BURST_SECONDS)
        tokens, counted = self._left.get(key, (full, now))
        return min(full, tokens + max(0.0, now - counted) * self.per_second)


@dataclass
class Acquaintances:
    """Who has been here before: what others spend is not asked of them."""

    most: int = 10_000
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def know(self, who: str) -> bool:
        """Whether ``who`` was met."""
        with self._lock:
            return who in self._known

    def meet(self, who: str) -> None:
        """Remember ``who``; the longest unseen is forgotten when there are too many."""
        with self._lock:
            self._known[who] = None
            self._known.move_to_end(who)
            while len(self._known) > self.most:
                self._known.popitem(last=False)
