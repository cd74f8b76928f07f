#!/usr/bin/env python3
"""Compares cards with the autocomplete stream that they were made of.

`autocomplete.py STREAM CARDS`: the stream is read by its published description alone ("Autocomplete stream", Outlook
developer documentation of Microsoft; one that does not fit it to the last byte is an error), the cards by vobject.
"""

import struct
import sys

import vobject

HEADER = struct.Struct("<IIII")
PROPERTY = struct.Struct("<HHIQ")
STRING8, UNICODE, BINARY, GUID = 0x1E, 0x1F, 0x102, 0x48
MULTIPLE = 0x1000


class Stream:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        piece = self.data[self.at:self.at + length]
        assert len(piece) == length, f"{length} bytes expected at {self.at:#x}"
        self.at += length
        return piece

    def number(self):
        return struct.unpack("<I", self.take(4))[0]

    def value(self, kind):
        if kind in (STRING8, UNICODE, BINARY):
            return self.take(self.number())
        if kind == GUID:
            return self.take(16)
        return None

    def property(self):
        kind, number, _, inline = PROPERTY.unpack(self.take(PROPERTY.size))
        if kind & MULTIPLE:
            for _ in range(self.number()):
                assert self.value(kind & ~MULTIPLE) is not None, f"type {kind:#x}"
            return number, None
        value = self.value(kind)
        if kind == UNICODE:
            return number, value.decode("utf-16-le").rstrip("\0")
        if kind == STRING8:
            return number, value.decode("cp1252").rstrip("\0")
        return number, None


def rows(data):
    stream = Stream(data)
    _, major, _, count = HEADER.unpack(stream.take(HEADER.size))
    assert major == 12, f"major version {major}"
    found = []
    for _ in range(count):
        row = {}
        for _ in range(stream.number()):
            number, text = stream.property()
            if text is not None:
                row.setdefault(f"{number:#06x}", text)
        found.append(row)
    stream.take(stream.number())
    stream.take(8)
    assert stream.at == len(data), f"{len(data) - stream.at} bytes are left"
    return found


def expected(row):
    """Name and address of a row."""
    kind, stored = row.get("0x3002", ""), row.get("0x3003", "")
    address = row.get("0x39fe") or (stored if kind == "SMTP" else "")
    name = row.get("0x3001", "").removesuffix("(%s)" % address).strip()
    return name or address or row["0x6001"], address


def cards(text):
    for card in vobject.readComponents(text):
        card.serialize(validate=True)
        assert card.uid.value
        email = card.contents.get("email")
        yield card.fn.value, email[0].value if email else ""


def main():
    with open(sys.argv[1], "rb") as file:
        wanted = [expected(row) for row in rows(file.read())]
    with open(sys.argv[2], newline="") as file:
        found = list(cards(file.read()))
    assert wanted and found == wanted, "expected %s, found %s" % (wanted, found)
    print("%d people" % len(found))


main()
