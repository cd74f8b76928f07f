"""Reads the .eml files of a folder with Python's email package and tells what it found, one JSON object a line."""

import email
import email.policy
import hashlib
import json
import os
import sys

SINGLE = (
    "from sender reply-to to cc bcc subject date message-id in-reply-to references mime-version "
    "content-type content-transfer-encoding"
).split()


def header_faults(message, faults):
    names = [name.lower() for name in message.keys()]
    for name in SINGLE:
        if names.count(name) > 1:
            faults.append(f"{names.count(name)} fields {name}")
    for name in ("from", "date", "message-id", "subject", "mime-version"):
        if name not in names:
            faults.append(f"no {name}")
    if not message["date"] or not message["date"].datetime:
        faults.append(f"date {message['date']}")
    for name in ("from", "sender", "reply-to", "to", "cc", "bcc"):
        field = message[name]
        if field is None:
            continue
        # Raw UTF-8, where it was asked for, is a defect of this name to Python.
        asked_for = {"UndecodableBytesDefect"} if "--utf8" in sys.argv else set()
        kinds = {type(defect).__name__ for defect in field.defects} - asked_for
        if kinds:
            faults.append(f"{name}: {kinds} {field}")
        if any("@" not in address.addr_spec for address in field.addresses):
            faults.append(f"{name} without an address: {field}")


def part_of(part, faults):
    found = {"type": part.get_content_type(), "name": part.get_filename()}
    faults.extend(f"{found['type']}: {type(defect).__name__}" for defect in part.defects)
    if part.is_multipart():
        return found
    payload = part.get_payload(decode=True) or b""
    found["length"] = len(payload)
    found["sha256"] = hashlib.sha256(payload).hexdigest()
    found["base64"] = part["content-transfer-encoding"] == "base64"
    if found["type"].startswith("text/") and not found["name"] and not found["base64"]:
        found["text"] = payload.decode(part.get_content_charset() or "ascii")
    return found


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    faults = []
    message = email.message_from_bytes(raw, policy=email.policy.default)
    header = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if not header.isascii() and "--utf8" not in sys.argv:
        faults.append("8-bit header")
    if b"\0" in raw:
        faults.append("NUL")
    if max(map(len, raw.replace(b"\r\n", b"\n").split(b"\n"))) > 998:
        faults.append("line of more than 998 octets")
    if b"\r" in raw.replace(b"\r\n", b""):
        faults.append("lone CR")
    messages = [part for part in message.walk() if part["x-ostfs-class"] or part is message]
    for inner in messages:
        header_faults(inner, faults)
    parts = [part_of(part, faults) for part in message.walk()]
    date = message["date"].datetime if message["date"] else None
    return {
        "file": os.path.basename(path),
        "faults": faults,
        "parts": parts,
        "subject": str(message["subject"]),
        "date": date.timestamp() if date else None,
        "from": [address.addr_spec for address in message["from"].addresses] if message["from"] else [],
    }


for name in sorted(os.listdir(sys.argv[1])):
    print(json.dumps(read(os.path.join(sys.argv[1], name))))
