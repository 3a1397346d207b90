"""Calendar arithmetic: add months and years, or take the difference of two moments in calendar units."""

from __future__ import annotations

import calendar
import datetime
from typing import Any

_PLURAL = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class weekday:
    """A day of the week, optionally the n-th one from the date it is applied to."""

    def __init__(self, number: int, n: int | None = None) -> None:
        if n == 0:
            raise ValueError("Can't create weekday with n==0")
        self.weekday = number
        self.n = n

    def __call__(self, n: int) -> "weekday":
        return weekday(self.weekday, n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, weekday) and (self.weekday, self.n) == (other.weekday, other.n)

    def __hash__(self) -> int:
        return hash((self.weekday, self.n))

    def __repr__(self) -> str:
        name = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[self.weekday]
        return name if self.n is None else f"{name}({self.n:+d})"


MO, TU, WE, TH, FR, SA, SU = (weekday(number) for number in range(7))


def _carry(value: int, limit: int) -> tuple[int, int]:
    """Whole units to carry over, and the rest with the sign of the value."""
    sign = -1 if value < 0 else 1
    carried, rest = divmod(abs(value), limit)
    return sign * carried, sign * rest


class relativedelta:
    """Relative units (years, months, weeks, days …) to add, and absolute ones (year, month …) to set."""

    def __init__(
        self, dt1: datetime.date | None = None, dt2: datetime.date | None = None,
        years: float = 0, months: float = 0, days: float = 0, leapdays: int = 0, weeks: float = 0,
        hours: float = 0, minutes: float = 0, seconds: float = 0, microseconds: float = 0,
        year: int | None = None, month: int | None = None, day: int | None = None, weekday: Any = None,
        yearday: int | None = None, nlyearday: int | None = None,
        hour: int | None = None, minute: int | None = None, second: int | None = None, microsecond: int | None = None,
    ) -> None:
        if int(years) != years or int(months) != months:
            raise ValueError("Non-integer years and months are ambiguous and not currently supported.")
        self.years, self.months = int(years), int(months)
        self.days, self.leapdays = days + weeks * 7, leapdays
        self.hours, self.minutes, self.seconds, self.microseconds = hours, minutes, seconds, microseconds
        self.year, self.month, self.day = year, month, day
        self.hour, self.minute, self.second, self.microsecond = hour, minute, second, microsecond
        self.weekday = (MO, TU, WE, TH, FR, SA, SU)[weekday] if isinstance(weekday, int) else weekday
        self._set_day_of_year(yearday, nlyearday)
        if dt1 is not None and dt2 is not None:
            self._set_difference(dt1, dt2)
        self._fix()

    def _set_day_of_year(self, yearday: int | None, nlyearday: int | None) -> None:
        number = nlyearday or yearday
        if not number:
            return
        if not 1 <= number <= 366:
            raise ValueError(f"invalid year day ({number})")
        if yearday and not nlyearday and 59 < yearday < 366:
            self.leapdays = -1
        moment = datetime.date(2001, 1, 1) + datetime.timedelta(days=min(number, 365) - 1)
        self.month, self.day = moment.month, moment.day

    def _set_difference(self, dt1: datetime.date, dt2: datetime.date) -> None:
        if not isinstance(dt1, datetime.date) or not isinstance(dt2, datetime.date):
            raise TypeError("relativedelta only diffs datetime/date")
        first, second = _as_datetime(dt1, dt2), _as_datetime(dt2, dt1)
        months = (first.year - second.year) * 12 + first.month - second.month
        moved = second + relativedelta(months=months)
        while (moved > first) if first >= second else (moved < first):
            months += -1 if first >= second else 1
            moved = second + relativedelta(months=months)
        self.years, self.months = 0, months
        rest = first - moved
        self.days, self.seconds, self.microseconds = 0, rest.seconds + rest.days * 86400, rest.microseconds

    def _fix(self) -> None:
        """Carries seconds into minutes, months into years and so on; days never become months."""
        steps = (("microseconds", 1_000_000, "seconds"), ("seconds", 60, "minutes"), ("minutes", 60, "hours"),
                 ("hours", 24, "days"), ("months", 12, "years"))
        for name, limit, larger in steps:
            value = getattr(self, name)
            if abs(value) >= limit:
                carried, rest = _carry(value, limit)
                setattr(self, name, rest)
                setattr(self, larger, getattr(self, larger) + carried)

    @property
    def weeks(self) -> int:
        return int(self.days / 7)

    @weeks.setter
    def weeks(self, value: int) -> None:
        self.days = self.days - self.weeks * 7 + value * 7

    def normalized(self) -> "relativedelta":
        """The same span with whole days, hours, minutes and seconds."""
        days = int(self.days)
        hours_left = self.hours + 24 * (self.days - days)
        hours = int(hours_left)
        minutes_left = self.minutes + 60 * (hours_left - hours)
        minutes = int(minutes_left)
        seconds_left = self.seconds + 60 * (minutes_left - minutes)
        seconds = int(seconds_left)
        micro = round(self.microseconds + 1e6 * (seconds_left - seconds))
        return self._with(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)

    def _with(self, **changes: Any) -> "relativedelta":
        values = {name: getattr(self, name) for name in (*_PLURAL, *_ABSOLUTE, "leapdays", "weekday")}
        return relativedelta(**{**values, **changes})

    def __add__(self, other: Any) -> Any:
        if isinstance(other, relativedelta):
            summed = {name: getattr(self, name) + getattr(other, name) for name in _PLURAL}
            fixed = {name: _first(getattr(other, name), getattr(self, name)) for name in (*_ABSOLUTE, "weekday")}
            return relativedelta(**summed, **fixed, leapdays=other.leapdays or self.leapdays)
        if isinstance(other, datetime.timedelta):
            return self._with(days=self.days + other.days, seconds=self.seconds + other.seconds,
                              microseconds=self.microseconds + other.microseconds)
        if not isinstance(other, datetime.date):
            return NotImplemented
        return self._applied(other)

    def _applied(self, moment: datetime.date) -> datetime.date:
        year = _first(self.year, moment.year) + self.years
        month = _first(self.month, moment.month) + self.months
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
        day = min(calendar.monthrange(year, month)[1], _first(self.day, moment.day))
        changes = {"year": year, "month": month, "day": day}
        for name in ("hour", "minute", "second", "microsecond"):
            if getattr(self, name) is not None:
                changes[name] = getattr(self, name)
        needs_time = self.hours or self.minutes or self.seconds or self.microseconds
        if needs_time and not isinstance(moment, datetime.datetime):
            moment = datetime.datetime.combine(moment, datetime.time())
        days = self.days
        if self.leapdays and month > 2 and calendar.isleap(year):
            days += self.leapdays
        result = moment.replace(**changes) + datetime.timedelta(
            days=days, hours=self.hours, minutes=self.minutes, seconds=self.seconds, microseconds=self.microseconds)
        if self.weekday is None:
            return result
        number, nth = self.weekday.weekday, self.weekday.n or 1
        jump = (abs(nth) - 1) * 7
        jump = jump + (7 - result.weekday() + number) % 7 if nth > 0 else -(jump + (result.weekday() - number) % 7)
        return result + datetime.timedelta(days=jump)

    __radd__ = __add__

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, relativedelta):
            return NotImplemented
        left = {name: getattr(self, name) - getattr(other, name) for name in _PLURAL}
        fixed = {name: _first(getattr(self, name), getattr(other, name)) for name in (*_ABSOLUTE, "weekday")}
        return relativedelta(**left, **fixed, leapdays=self.leapdays or other.leapdays)

    def __neg__(self) -> "relativedelta":
        return self._with(**{name: -getattr(self, name) for name in _PLURAL})

    def __abs__(self) -> "relativedelta":
        return self._with(**{name: abs(getattr(self, name)) for name in _PLURAL})

    def __mul__(self, factor: Any) -> Any:
        try:
            number = float(factor)
        except (TypeError, ValueError):
            return NotImplemented
        return self._with(**{name: int(getattr(self, name) * number) for name in _PLURAL})

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Any:
        return self * (1 / float(divisor))

    def __bool__(self) -> bool:
        spans = any(getattr(self, name) for name in (*_PLURAL, "leapdays"))
        return spans or any(getattr(self, name) is not None for name in (*_ABSOLUTE, "weekday"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, relativedelta):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in (*_PLURAL, *_ABSOLUTE, "leapdays", "weekday"))

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in (*_PLURAL, *_ABSOLUTE, "leapdays", "weekday")))

    def __repr__(self) -> str:
        parts = [f"{name}={getattr(self, name):+g}" for name in (*_PLURAL, "leapdays") if getattr(self, name)]
        parts += [f"{n}={getattr(self, n)!r}" for n in (*_ABSOLUTE, "weekday") if getattr(self, n) is not None]
        return f"relativedelta({', '.join(parts)})"


def _first(value: Any, other: Any) -> Any:
    return other if value is None else value


def _as_datetime(moment: datetime.date, other: datetime.date) -> datetime.datetime:
    if isinstance(moment, datetime.datetime):
        return moment
    zone = other.tzinfo if isinstance(other, datetime.datetime) else None
    return datetime.datetime.combine(moment, datetime.time(tzinfo=zone))
