"""Reads dates and times as people and machines write them."""

from __future__ import annotations

import calendar
import datetime
import re
from typing import Any

from dateutil import tz


class ParserError(ValueError):
    """The text is not a date that this parser reads."""


class UnknownTimezoneWarning(RuntimeWarning):
    """A zone name that is not known was ignored."""


class parserinfo:
    """Options of the reading order; kept for callers that pass one."""

    def __init__(self, dayfirst: bool = False, yearfirst: bool = False) -> None:
        self.dayfirst = dayfirst
        self.yearfirst = yearfirst


_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_WEEKDAYS |= {name.lower(): number for number, name in enumerate(calendar.day_abbr)} | {"tues": 1, "thur": 3, "thurs": 3}
_JUMP = {"at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th", "the"}
_UTC_NAMES = {"utc", "gmt", "z"}

_ISO = re.compile(
    r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(?:[.,](\d+))?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?:\s*([ap])\.?m\b\.?)?", re.IGNORECASE)
_HOUR_WITH_HALF = re.compile(r"(?<!\d)(\d{1,2})\s*([ap])\.?m\b\.?", re.IGNORECASE)
_UNITS = re.compile(r"(?<!\d)(\d{1,2})\s*h(?:ours?)?\s*(?:(\d{1,2})\s*m(?:in(?:utes?)?)?\s*)?(?:(\d{1,2})(?:[.,](\d+))?\s*s(?:ec(?:onds?)?)?)?", re.IGNORECASE)
_ZONE = re.compile(r"\s*(?:([A-Za-z]{3,5})?\s*([+-])(\d{2}):?(\d{2})?(?!\d)|(Z|UTC|GMT)\b|([A-Z]{3,5})\b)", re.IGNORECASE)
_DATE_TOKEN = re.compile(r"\d+|[A-Za-z]+|[^\sA-Za-z\d]")


def _fraction(digits: str | None) -> int:
    return int((digits or "0")[:6].ljust(6, "0"))


def _offset(text: str | None) -> datetime.tzinfo | None:
    if not text:
        return None
    if text.lower() in _UTC_NAMES:
        return tz.UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = sign * (int(digits[:2]) * 3600 + int(digits[2:4]) * 60)
    return tz.UTC if seconds == 0 else tz.tzoffset(None, seconds)


def _from_iso(text: str, default: datetime.datetime) -> datetime.datetime | None:
    found = _ISO.match(text) or _COMPACT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    moment = default.replace(year=int(year), month=int(month), day=int(day or min(default.day, 28)))
    if hour is not None:
        moment = moment.replace(hour=int(hour), minute=int(minute or 0), second=int(second or 0), microsecond=_fraction(fraction))
    return moment.replace(tzinfo=_offset(zone)) if zone else moment


class _Reader:
    """Takes clock, zone and date out of a text, one after the other; what is left must be harmless."""

    def __init__(self, text: str, dayfirst: bool, yearfirst: bool, fuzzy: bool, tzinfos: Any) -> None:
        self.text = text
        self.dayfirst, self.yearfirst, self.fuzzy, self.tzinfos = dayfirst, yearfirst, fuzzy, tzinfos
        self.clock: dict[str, int] = {}
        self.zone: datetime.tzinfo | None = None
        self.date: dict[str, int] = {}
        self.weekday: int | None = None

    def read(self, default: datetime.datetime) -> datetime.datetime:
        self._take_clock()
        self._take_date()
        if not self.clock and not self.date and self.weekday is None:
            raise ParserError(f"String does not contain a date: {self.text}")
        moment = default
        year = self.date.get("year", moment.year)
        month = self.date.get("month", moment.month)
        day = self.date.get("day", min(moment.day, calendar.monthrange(year, month)[1]))
        moment = moment.replace(year=year, month=month, day=day, **self.clock)
        if self.weekday is not None and "day" not in self.date:
            moment += datetime.timedelta(days=(self.weekday - moment.weekday()) % 7)
        return moment.replace(tzinfo=self.zone) if self.zone else moment

    def _take_clock(self) -> None:
        found = _CLOCK.search(self.text)
        if found:
            hour, minute, second, fraction, half = found.groups()
        else:
            found = _HOUR_WITH_HALF.search(self.text)
            if found:
                hour, half = found.groups()
                minute = second = fraction = None
            else:
                found = _UNITS.search(self.text)
                if found is None:
                    return
                hour, minute, second, fraction = found.groups()
                half = None
        number = int(hour)
        if half:
            if not 1 <= number <= 12:
                raise ParserError(f"Invalid hour specified for 12-hour clock: {self.text}")
            number = number % 12 + (12 if half.lower() == "p" else 0)
        self.clock = {"hour": number, "minute": int(minute or 0), "second": int(second or 0), "microsecond": _fraction(fraction)}
        end = self._take_zone(found.end())
        self.text = f"{self.text[:found.start()]} {self.text[end:]}"

    def _take_zone(self, start: int) -> int:
        found = _ZONE.match(self.text, start)
        if found is None:
            return start
        name, sign, hours, minutes, universal, other = found.groups()
        word = (other or "").lower()
        if word in _MONTHS or word in _WEEKDAYS or word in _JUMP:
            return start
        end = found.end()
        comment = re.compile(r"\s*\([A-Za-z ]{3,}\)").match(self.text, end)
        end = comment.end() if comment else end
        if sign:
            # "GMT+3" is what people write for "my time minus GMT is +3".
            seconds = (int(hours) * 3600 + int(minutes or 0) * 60) * (1 if sign == "+" else -1)
            self.zone = tz.UTC if seconds == 0 else tz.tzoffset(name, seconds)
        elif universal:
            self.zone = tz.UTC
        else:
            self.zone = self._named(other)
        return end

    def _named(self, name: str) -> datetime.tzinfo | None:
        given = self.tzinfos(name, None) if callable(self.tzinfos) else (self.tzinfos or {}).get(name)
        if isinstance(given, (int, float)):
            return tz.tzoffset(name, given)
        return given

    def _take_date(self) -> None:
        numbers: list[tuple[int, int]] = []  # value and digits
        month_at: int | None = None
        for token in _DATE_TOKEN.findall(self.text):
            lower = token.lower()
            if token.isdigit():
                numbers += self._split(token)
            elif lower in _MONTHS and "month" not in self.date:
                self.date["month"] = _MONTHS[lower]
                month_at = len(numbers)
            elif lower in _WEEKDAYS:
                self.weekday = _WEEKDAYS[lower]
            elif lower not in _JUMP and token not in "-/.,;'" and not self.fuzzy:
                raise ParserError(f"Unknown string format: {self.text.strip()}")
        self._assign(numbers, month_at)

    def _split(self, token: str) -> list[tuple[int, int]]:
        if len(token) == 8:
            return [(int(token[:4]), 4), (int(token[4:6]), 2), (int(token[6:]), 2)]
        if len(token) == 6:
            return [(int(token[:2]), 2), (int(token[2:4]), 2), (int(token[4:]), 2)]
        if len(token) > 4:
            if self.fuzzy:
                return []
            raise ParserError(f"Unknown string format: {token}")
        return [(int(token), len(token))]

    def _assign(self, numbers: list[tuple[int, int]], month_at: int | None) -> None:
        if len(numbers) > (3 if month_at is None else 2):
            if not self.fuzzy:
                raise ParserError(f"More than three numbers in the date: {self.text.strip()}")
            numbers = numbers[:3]
        names = self._order(numbers, month_at)
        for name, (value, digits) in zip(names, numbers):
            self.date[name] = _full_year(value) if name == "year" and digits <= 2 else value

    def _order(self, numbers: list[tuple[int, int]], month_at: int | None) -> list[str]:
        is_year = [digits > 2 or value > 31 for value, digits in numbers]
        if month_at is not None:
            if len(numbers) == 1:
                return ["year"] if is_year[0] else ["day"]
            return ["year", "day"] if is_year[0] else ["day", "year"]
        values = [value for value, _ in numbers]
        if len(values) == 1:
            return ["year"] if is_year[0] else ["day"]
        if len(values) == 2:
            if is_year[0]:
                return ["year", "month"]
            if is_year[1]:
                return ["month", "year"]
            return ["day", "month"] if self.dayfirst or values[0] > 12 else ["month", "day"]
        if len(values) < 3:
            return []
        if is_year[0] or (self.yearfirst and values[1] <= 12):
            return ["year", "day", "month"] if values[2] <= 12 and (values[1] > 12 or self.dayfirst) else ["year", "month", "day"]
        if is_year[1]:
            return ["day", "year", "month"] if values[0] > 12 else ["month", "year", "day"]
        return ["day", "month", "year"] if values[0] > 12 or (self.dayfirst and values[1] <= 12) else ["month", "day", "year"]


def _full_year(value: int) -> int:
    """Two digits mean the year closest to now."""
    now = datetime.datetime.now().year
    year = value + now // 100 * 100
    if year >= now + 50:
        year -= 100
    elif year < now - 50:
        year += 100
    return year


def parse(
    timestr: Any, parserinfo: parserinfo | None = None, *, default: datetime.datetime | None = None, ignoretz: bool = False,
    tzinfos: Any = None, dayfirst: bool | None = None, yearfirst: bool | None = None, fuzzy: bool = False,
) -> datetime.datetime:
    """The moment a text names. What it leaves open comes from `default`, which is today's midnight.

    Raises ParserError for what is no date and TypeError for what is no text.
    """
    if isinstance(timestr, (bytes, bytearray)):
        timestr = timestr.decode()
    if hasattr(timestr, "read"):
        timestr = timestr.read()
    if not isinstance(timestr, str):
        raise TypeError(f"Parser must be a string or character stream, not {type(timestr).__name__}")
    if len(timestr) > 1000:
        raise ParserError("The text is too long for a date.")
    base = default or datetime.datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = dayfirst if dayfirst is not None else bool(parserinfo and parserinfo.dayfirst)
    yearly = yearfirst if yearfirst is not None else bool(parserinfo and parserinfo.yearfirst)
    try:
        moment = _from_iso(timestr.strip(), base) or _Reader(timestr.strip(), first, yearly, fuzzy, tzinfos).read(base)
    except ParserError:
        raise
    except ValueError as error:
        raise ParserError(f"{error}: {timestr}") from error
    return moment.replace(tzinfo=None) if ignoretz else moment


def isoparse(dt_str: Any) -> datetime.datetime:
    """An ISO 8601 date or moment, nothing else. Raises ValueError."""
    text = dt_str.decode() if isinstance(dt_str, bytes) else dt_str
    start = datetime.datetime(1, 1, 1)
    if re.fullmatch(r"\d{4}", text):
        return start.replace(year=int(text))
    moment = _from_iso(text, start)
    if moment is None:
        raise ValueError(f"Unused components in ISO string: {text!r}")
    return moment
