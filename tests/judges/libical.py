"""Parses all calendars with libical (Debian: python3-gi, gir1.2-ical-3.0). Usage: libical.py MANIFEST

libical keeps what it does not understand as X-LIC-ERROR properties, which are counted here."""

import json
import sys

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # noqa: E402

checked = failed = 0
with open(sys.argv[1], encoding="utf-8") as manifest:
    files = [entry["file"] for entry in json.load(manifest)]
for file in files:
    if not file.endswith(".ics"):
        continue
    checked += 1
    with open(file, encoding="utf-8", newline="") as calendar:
        component = ICalGLib.Component.new_from_string(calendar.read())
    errors = component.count_errors() if component else 1
    if errors:
        failed += 1
        print(f"{file}: {errors} errors")
print(f"{checked} files, {failed} refused")
sys.exit(1 if failed or not checked else 0)
