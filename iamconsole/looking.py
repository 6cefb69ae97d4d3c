"""What a request only looks at is read once: a page asks about the same user for each of its buttons.

Nothing here is used by what writes, which reads again when it holds its locks; and what was read is forgotten when something is
written in the request.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from iamconsole.logs import served

T = TypeVar("T")
_SEEN: ContextVar[dict[Hashable, Any] | None] = ContextVar("seen", default=None)


@contextmanager
def looking() -> Iterator[None]:
    """In the block nothing is written, so ``seen`` answers from what the request has read before."""
    token = _SEEN.set(served().seen)
    try:
        yield
    finally:
        _SEEN.reset(token)


def seen(key: Hashable, read: Callable[[], T]) -> T:
    """What was read under the key before in this request, if the caller only looks; otherwise read it now."""
    known = _SEEN.get()
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    value: T = known[key]
    return value
