"""A process whose clock is wrong: Python reads this at its start, when PYTHONPATH names the folder.

`CHAOS_SKEW` is in seconds, and may be negative. Only what asks for the time is changed:
every moment that is made comes out as an ordinary one.
"""

import datetime as module
import os

_SKEW = module.timedelta(seconds=float(os.environ.get("CHAOS_SKEW", "0")))
_right = module.datetime


class _Kind(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, _right)


class _Wrong(_right, metaclass=_Kind):
    def __new__(cls, *args: object, **named: object) -> module.datetime:
        return _right(*args, **named)

    @classmethod
    def now(cls, tz: module.tzinfo | None = None) -> module.datetime:
        return _right.now(tz) + _SKEW


if _SKEW:
    module.datetime = _Wrong
