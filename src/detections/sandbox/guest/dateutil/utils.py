"""Small helpers beside the parser."""

import datetime


def today(tzinfo: datetime.tzinfo | None = None) -> datetime.datetime:
    """Midnight of the current day."""
    now = datetime.datetime.now(tzinfo)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def default_tzinfo(dt: datetime.datetime, tzinfo: datetime.tzinfo) -> datetime.datetime:
    """The moment with a zone: its own, or the given one."""
    return dt if dt.tzinfo is not None else dt.replace(tzinfo=tzinfo)


def within_delta(dt1: datetime.datetime, dt2: datetime.datetime, delta: datetime.timedelta) -> bool:
    """Whether two moments lie no further apart than the given span."""
    return abs(dt1 - dt2) <= abs(delta)
