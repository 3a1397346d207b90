"""Time zones. Named zones need a zone database; without one only UTC is known."""

from __future__ import annotations

import datetime

_ZERO = datetime.timedelta(0)
_UTC_NAMES = ("UTC", "GMT", "Z", "ETC/UTC", "ZULU")


class tzutc(datetime.tzinfo):
    """Universal time."""

    _instance: "tzutc | None" = None

    def __new__(cls) -> "tzutc":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def utcoffset(self, dt: datetime.datetime | None) -> datetime.timedelta:
        return _ZERO

    def dst(self, dt: datetime.datetime | None) -> datetime.timedelta:
        return _ZERO

    def tzname(self, dt: datetime.datetime | None) -> str:
        return "UTC"

    def fromutc(self, dt: datetime.datetime) -> datetime.datetime:
        return dt

    def __eq__(self, other: object) -> bool:
        if isinstance(other, tzutc):
            return True
        return other._offset == _ZERO if isinstance(other, tzoffset) else NotImplemented

    def __hash__(self) -> int:
        return hash("UTC")

    def __repr__(self) -> str:
        return "tzutc()"


class tzoffset(datetime.tzinfo):
    """A fixed distance from universal time, in seconds or as a timedelta."""

    def __init__(self, name: str | None, offset: float | datetime.timedelta) -> None:
        self._name = name
        self._offset = offset if isinstance(offset, datetime.timedelta) else datetime.timedelta(seconds=offset)

    def utcoffset(self, dt: datetime.datetime | None) -> datetime.timedelta:
        return self._offset

    def dst(self, dt: datetime.datetime | None) -> datetime.timedelta:
        return _ZERO

    def tzname(self, dt: datetime.datetime | None) -> str | None:
        return self._name

    def fromutc(self, dt: datetime.datetime) -> datetime.datetime:
        return dt + self._offset

    def __eq__(self, other: object) -> bool:
        if isinstance(other, tzoffset):
            return self._offset == other._offset
        return self._offset == _ZERO if isinstance(other, tzutc) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._offset)

    def __repr__(self) -> str:
        return f"tzoffset({self._name!r}, {int(self._offset.total_seconds())})"


class tzlocal(tzutc):
    """The zone of the machine: detections always run in universal time."""

    _instance = None

    def __repr__(self) -> str:
        return "tzlocal()"


UTC = tzutc()


def gettz(name: str | None = None) -> datetime.tzinfo | None:
    """The zone of that name, or None when it is not known here."""
    if not name:
        return tzlocal()
    if name.upper() in _UTC_NAMES:
        return UTC
    try:
        import zoneinfo

        return zoneinfo.ZoneInfo(name)
    except (ImportError, ValueError, OSError, KeyError):
        return None


def tzstr(text: str) -> datetime.tzinfo:
    """A zone written as a POSIX string without summer time, e.g. `EST+5`."""
    import re

    found = re.fullmatch(r"([A-Za-z]{3,})([+-]?\d{1,2})(?::(\d{2}))?", text)
    if found is None:
        raise ValueError(f"unknown string format: {text!r}")
    hours, minutes = int(found[2]), int(found[3] or 0)
    seconds = abs(hours) * 3600 + minutes * 60
    return tzoffset(found[1], -seconds if hours > 0 or found[2].startswith("+") else seconds)


def datetime_exists(dt: datetime.datetime, tz: datetime.tzinfo | None = None) -> bool:
    """Whether a wall-clock time occurs in its zone."""
    zone = tz or dt.tzinfo
    if zone is None:
        raise ValueError("Datetime is naive and no time zone provided.")
    plain = dt.replace(tzinfo=zone)
    return plain.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == dt.replace(tzinfo=None)
