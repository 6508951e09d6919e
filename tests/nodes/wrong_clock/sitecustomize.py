"""Lets the clock of a Python process be wrong by the seconds in the file $WRONG_CLOCK.

Python imports this first. libfaketime would do the same for all programs, but it breaks
`time.sleep` or `Event.wait` of Python 3.11, depending on whether it shifts the monotonic clock too.
"""

import ctypes
import datetime
import gc
import os
import time
from pathlib import Path

_FILE = Path(os.environ["WRONG_CLOCK"])
_time, _time_ns, _now = time.time, time.time_ns, datetime.datetime.now


def _wrong_by() -> int:
    return int(_FILE.read_text())


def _wrong_now(_: type, zone: datetime.tzinfo | None = None) -> datetime.datetime:
    return _now(zone) + datetime.timedelta(seconds=_wrong_by())


time.time = lambda: _time() + _wrong_by()
time.time_ns = lambda: _time_ns() + _wrong_by() * 10**9
# A type of C: its members can only be replaced behind Python's back.
gc.get_referents(datetime.datetime.__dict__)[0]["now"] = classmethod(_wrong_now)
ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
