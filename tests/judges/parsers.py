"""Parses iCalendar and vCard files with the parsers of others; every complaint is printed.

Usage: parsers.py MANIFEST, a JSON list of {"file": path, ...}.
"""
import json
import re
import sys

import icalendar
import vobject

ICAL_NEEDS = {"VEVENT": ["UID", "DTSTAMP", "DTSTART"], "VTODO": ["UID", "DTSTAMP"], "VJOURNAL": ["UID", "DTSTAMP"]}


def calendar(data):
    parsed = icalendar.Calendar.from_ical(data)
    for component in parsed.walk():
        # icalendar notes what it cannot read instead of raising.
        for name, problem in component.errors:
            yield "%s: %s %s" % (component.name, name, problem)
        for name in ICAL_NEEDS.get(component.name, []):
            if name not in component:
                yield "%s lacks %s" % (component.name, name)
        for name, value in component.property_items(recursive=False):
            if name in ("DTSTART", "DTEND", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID"):
                value.to_ical()
        if component.name == "VEVENT" and "DTEND" in component:
            start, end = component["DTSTART"].dt, component["DTEND"].dt
            if type(start) is type(end) and end < start:
                yield "ends before it starts"
    named = re.findall(rb';TZID=(?:"([^"]+)"|([^":;]+))', re.sub(rb"\r\n[ \t]", b"", data))
    used = {quoted or plain for quoted, plain in named}
    defined = {str(z["TZID"]).encode() for z in parsed.walk("VTIMEZONE")}
    for zone in used - defined:
        yield "no VTIMEZONE for %r" % zone
    for zone in parsed.walk("VTIMEZONE"):
        zone.to_tz()
    again = parsed.to_ical()
    icalendar.Calendar.from_ical(again)
    vobject.readOne(data.decode()).serialize(validate=True)


def card(data):
    for parsed in vobject.readComponents(data.decode()):
        if parsed.version.value == "3.0":
            parsed.serialize(validate=True)
        for name in ("fn", "version", "uid"):
            if not parsed.contents.get(name):
                yield "no " + name


def lines(data):
    for line in data.split(b"\r\n"):
        if b"\n" in line or b"\r" in line:
            yield "a lone CR or LF"
        if len(line) > 75:
            yield "a line of %d octets" % len(line)
        line.decode()


def main():
    checked = failed = 0
    for entry in json.load(open(sys.argv[1])):
        name = entry["file"]
        with open(name, "rb") as file:
            data = file.read()
        if name.endswith(".txt"):
            data.decode()
            continue
        checked += 1
        try:
            check = calendar if name.endswith(".ics") else card
            problems = list(lines(data)) + list(check(data))
        except Exception as error:
            problems = ["%s: %s" % (type(error).__name__, error)]
        for problem in problems:
            print("%s: %s" % (name, problem))
        failed += bool(problems)
    print("%d files, %d refused" % (checked, failed))
    sys.exit(failed > 0 or checked == 0)


main()
