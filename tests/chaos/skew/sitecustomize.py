"""A skewed clock for one process: Python imports this at startup if PYTHONPATH has this folder.

`CHAOS_SKEW` is in seconds and can be negative. Only `datetime.now` is changed; all
instances are ordinary datetimes.
"""

import datetime as module
import os

_SKEW = module.timedelta(seconds=float(os.environ.get("CHAOS_SKEW", "0")))
_real_datetime = module.datetime


class _SkewedType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real_datetime)


class _SkewedDatetime(_real_datetime, metaclass=_SkewedType):
    def __new__(cls, *args: object, **kwargs: object) -> module.datetime:
        return _real_datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: module.tzinfo | None = None) -> module.datetime:
        return _real_datetime.now(tz) + _SKEW


if _SKEW:
    module.datetime = _SkewedDatetime
