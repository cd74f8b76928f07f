"""Compares the VTIMEZONEs of files with the zones of the system (zoneinfo) on both sides of every change of the clock.

Usage: zones.py MANIFEST, a JSON list of {"file": path, "zone_years": [first, last] or null, ...}. Only the years that
the stored rules are known to be right for are compared.
"""
import datetime as dt
import json
import re
import sys
import zoneinfo

import icalendar
from icalendar.timezone import TZP

UTC = dt.timezone.utc


def changes(zone, first, last):
    """Moments when the offset of `zone` changes."""
    step = dt.timedelta(hours=6)
    at, end = dt.datetime(first, 1, 2, tzinfo=UTC), dt.datetime(last, 12, 30, tzinfo=UTC)
    before = at.astimezone(zone).utcoffset()
    while at < end:
        at += step
        offset = at.astimezone(zone).utcoffset()
        if offset != before:
            low, high = at - step, at
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) / 2
                if middle.astimezone(zone).utcoffset() == before:
                    low = middle
                else:
                    high = middle
            yield high.replace(microsecond=0)
            before = offset


def main():
    compared = failed = 0
    names = set()
    for entry in json.load(open(sys.argv[1])):
        if not entry.get("zone_years") or not entry["file"].endswith(".ics"):
            continue
        with open(entry["file"], encoding="utf-8", newline="") as file:
            text = re.sub("\r\n[ \t]", "", file.read())
        for definition in re.findall("BEGIN:VTIMEZONE\r\n.*?END:VTIMEZONE\r\n", text, re.S):
            name = re.search("TZID:(.*)\r\n", definition)[1]
            try:
                real = zoneinfo.ZoneInfo(name)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError):
                continue
            # Its own expansion: that of dateutil reads UNTIL, which is in UTC, as local time.
            ours = icalendar.Timezone.from_ical(definition).to_tz(TZP("pytz"), lookup_tzid=False)
            first, last = entry["zone_years"]
            # Away from the change itself: some zones change at 24:00, which Windows writes as a millisecond before.
            moments = [m + d for m in changes(real, first, last) for d in (dt.timedelta(minutes=-90), dt.timedelta(minutes=-2), dt.timedelta(minutes=2), dt.timedelta(hours=3))]
            moments += [dt.datetime(y, m, 15, 12, tzinfo=UTC) for y in range(first, last + 1) for m in (1, 4, 7, 10)]
            names.add(name)
            for moment in moments:
                local = moment.astimezone(real)
                compared += 1
                mine = moment.astimezone(ours).utcoffset()
                if mine != local.utcoffset():
                    failed += 1
                    print("%s: %s at %s is %s, not %s" % (entry["file"], name, moment, local.utcoffset(), mine))
    print("%d zones, %d moments, %d wrong" % (len(names), compared, failed))
    sys.exit(failed > 0 or compared == 0)


main()
