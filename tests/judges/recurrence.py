"""Checks recurring appointments: the instances that an independent reading of the stored pattern gives must be those
that an independent calendar library makes of the iCalendar file.

Usage: recurrence.py MANIFEST, a JSON list of {"file": path, "blob": hex of AppointmentRecurrencePattern, ...}.
"""
import calendar
import datetime as dt
import json
import struct
import sys

import icalendar
import recurring_ical_events
from convertdate import hebrew, islamic
from hijridate import Gregorian as HijriGregorian
from lunardate import LunarDate

EPOCH = dt.datetime(1601, 1, 1)
NAMES = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"]
INSTANCES = 60


class Pattern:
    """[MS-OXOCAL] 2.2.1.44.1 and .5, read anew."""

    def __init__(self, blob):
        self.blob, self.at = blob, 0
        self.take("HH")
        self.frequency, self.kind, self.calendar = self.take("HHH")
        _, self.period, self.sliding = self.take("III")
        self.specific = {0: ""}.get(self.kind, "II" if self.kind in (3, 11) else "I")
        self.specific = self.take(self.specific)
        self.end, self.count, self.first_day = self.take("III")
        self.deleted = [self.day(m) for m in self.take("%dI" % self.take("I")[0])]
        self.modified = [self.day(m) for m in self.take("%dI" % self.take("I")[0])]
        start, end = self.take("II")
        self.start, self.last = self.day(start), self.day(end)
        self.exceptions = []
        if self.at < len(blob):
            self.take("II")
            self.start_offset, self.end_offset = self.take("II")
            for _ in range(self.take("H")[0]):
                self.exceptions.append(self.exception())

    def take(self, form):
        values = struct.unpack_from("<" + form, self.blob, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    @staticmethod
    def day(minutes):
        return (EPOCH + dt.timedelta(minutes=minutes)).date()

    def exception(self):
        start, end, original, flags = self.take("IIIH")
        for bit in range(9):
            if flags & 1 << bit:
                if bit in (0, 4):
                    _, length = self.take("HH")
                    self.take("%ds" % length)
                else:
                    self.take("I")
        moment = lambda minutes: EPOCH + dt.timedelta(minutes=minutes)
        return moment(start), moment(end), moment(original)

    def month(self, day):
        """First day, length, name and year of the month of `day`."""
        kind = 6 if self.kind >= 10 and self.calendar in (0, 1) else self.calendar
        if kind == 6:
            key = lambda d: islamic.from_gregorian(d.year, d.month, d.day)[:2]
        elif kind == 0x17:
            key = lambda d: HijriGregorian(d.year, d.month, d.day).to_hijri().datetuple()[:2]
        elif kind == 8:
            def key(d):
                year, month, _ = hebrew.from_gregorian(d.year, d.month, d.day)
                if not hebrew.leap(year):
                    return year, "Adar" if month == 12 else month
                return year, {12: "Adar I", 13: "Adar"}.get(month, month)
        elif kind in (0xE, 0xF):
            def key(d):
                lunar = LunarDate.from_solar_date(d.year, d.month, d.day) if hasattr(LunarDate, "from_solar_date") else LunarDate.fromSolarDate(d.year, d.month, d.day)
                leap = getattr(lunar, "leap_month", None)
                leap = lunar.isLeapMonth if leap is None else leap
                return lunar.year, (lunar.month, bool(leap))
        else:
            length = calendar.monthrange(day.year, day.month)[1]
            return day.replace(day=1), length, day.month, day.year
        name = key(day)
        first = day
        while key(first - dt.timedelta(1)) == name:
            first -= dt.timedelta(1)
        length = 28
        while key(first + dt.timedelta(length)) == name:
            length += 1
        return first, length, name[1], name[0]

    def pick(self, first, length):
        days = [first + dt.timedelta(n) for n in range(length)]
        if self.kind in (4, 12):
            return days[-1]
        if self.kind in (2, 10):
            return days[min(self.specific[0], length) - 1]
        days = [d for d in days if self.specific[0] >> (d.isoweekday() % 7) & 1]
        return days[-1] if self.specific[1] == 5 else days[self.specific[1] - 1]

    def candidates(self):
        one = dt.timedelta(1)
        if self.kind == 0:
            day = self.start
            while True:
                yield day
                day += one * (self.period // 1440)
        elif self.kind == 1:
            week = self.start
            while week.isoweekday() % 7 != self.first_day:
                week -= one
            while True:
                for n in range(7):
                    day = week + one * n
                    if self.specific[0] >> (day.isoweekday() % 7) & 1:
                        yield day
                week += one * 7 * self.period
        else:
            first, length, name, year = self.month(self.start)
            steps, origin = 0, (name, year)
            while True:
                if self.frequency == 0x200D and self.period % 12 == 0:
                    if name == origin[0] and (year - origin[1]) % (self.period // 12) == 0:
                        yield self.pick(first, length)
                elif steps % self.period == 0:
                    yield self.pick(first, length)
                first, length, name, year = self.month(first + one * length)
                steps += 1

    def days(self, limit):
        out = []
        for day in self.candidates():
            if day < self.start:
                continue
            if self.end == 0x2021 and self.last.year < 4500 and day > self.last:
                break
            # Of two ends that contradict each other, the later.
            if self.end == 0x2022 and len(out) >= self.count and (self.last.year >= 4500 or day > self.last):
                break
            if len(out) >= limit or day.year > 2090:
                break
            out.append(day)
        return out

    def expected(self):
        """Starts of the instances, and the moment up to which they are all."""
        days = self.days(INSTANCES)
        # Where the pattern has ended, nothing may come for a long time.
        quiet = 3700 if len(days) < INSTANCES and days[-1].year < 2080 else 1
        horizon = dt.datetime.combine(days[-1] + dt.timedelta(quiet), dt.time())
        offset = dt.timedelta(minutes=self.start_offset)
        at = lambda day: dt.datetime.combine(day, dt.time()) + offset
        gone = set(self.deleted)
        starts = [at(day) for day in days if day not in gone]
        starts += [e[0] for e in self.exceptions]
        return sorted(s for s in starts if s < horizon), horizon


def naive(value):
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return dt.datetime.combine(value, dt.time())


def main():
    checked = failed = 0
    table = {}
    for entry in json.load(open(sys.argv[1])):
        if not entry.get("blob"):
            continue
        pattern = Pattern(bytes.fromhex(entry["blob"]))
        if "--print" in sys.argv:
            print(entry["file"], " ".join(str(d) for d in pattern.days(5)))
        expected, horizon = pattern.expected()
        table[entry["file"]] = {"expected": [s.isoformat() for s in expected], "horizon": horizon.isoformat()}
        with open(entry["file"], "rb") as file:
            parsed = icalendar.Calendar.from_ical(file.read())
        begin = min(expected + [horizon]) - dt.timedelta(3)
        found = recurring_ical_events.of(parsed).between(begin, horizon + dt.timedelta(3))
        found = sorted(s for s in (naive(e["DTSTART"].dt) for e in found) if s < horizon)
        checked += 1
        if found != expected:
            failed += 1
            missing = [str(s) for s in expected if s not in found][:5]
            extra = [str(s) for s in found if s not in expected][:5]
            print("%s: %d expected, %d found; missing %s, extra %s" % (entry["file"], len(expected), len(found), missing, extra))
    # For other judges.
    if sys.argv[2:] and "--print" not in sys.argv:
        with open(sys.argv[2], "w") as out:
            json.dump(table, out)
    print("%d recurring items, %d wrong" % (checked, failed))
    sys.exit(failed > 0 or checked == 0)


main()
