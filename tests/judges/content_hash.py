"""The content hash of docs/CONTENT-HASH.md, by a reader that shares no code with ostfs, or from exported mail.
usage: content_hash.py FOLDER_OF_READER FILE   one JSON object for each message: nid, content, all; null where the text of
                                               the body would have to be made of HTML or RTF
       content_hash.py --eml FOLDER            one for each .eml that is mail with a Date: name, content"""
import email
import email.policy
import hashlib
import json
import os
import re
import struct
import sys
import unicodedata

BLANK = {"Zs", "Zl", "Zp", "Cc"}
ADDRESS = re.compile(r"[^@<>\s,;:\"\\()\[\]]+@[^@<>\s,;:\"\\()]+")
NO_MAIL = "ipm.appointment ipm.task ipm.activity ipm.stickynote ipm.contact ipm.distlist ipm.abchperson".split()
LEFT_OUT = {0x001A, 0x0037, 0x003D, 0x3007, 0x3008, 0x300B, 0x3013}
NAMED_LEFT_OUT = {
    ("00062004-0000-0000-c000-000000000046", 0x8055),
    ("00062004-0000-0000-c000-000000000046", 0x804C),
    ("00062008-0000-0000-c000-000000000046", 0x8585),
}
NAMELESS = "6674736f-2d73-616e-6d65-6c6573732d31"
ONE_OFF = bytes.fromhex("812b1fa4bea310199d6e00dd010f5402")
BOOK = bytes.fromhex("dca740c8c042101ab4b908002b2fe182")
TEXT, TEXT8, MULTIPLE = 0x1F, 0x1E, 0x1000
FIXED = {2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 1, 0x14: 8, 0x40: 8, 0x48: 16}


def sha(data):
    return hashlib.sha256(data).digest()


def squeezed(text):
    return "".join(c for c in text if unicodedata.category(c) not in BLANK)


def lines_of(fields):
    return "".join(f"{name} {sha(value).hex()}\n" for name, value in fields if value)


def hash_of(name, fields):
    return sha((name + "\n" + lines_of(fields)).encode())[:16].hex()


def addresses(people):
    return "".join(sorted((one + "\n" for one in people), key=str.encode)).encode()


def is_under(name, base):
    return name == base or name.startswith(base + ".")


def is_sent_mail(kind, fields):
    is_mail = is_under(kind, "ipm") or is_under(kind, "report")
    return is_mail and not any(is_under(kind, base) for base in NO_MAIL) and any(n == "sent" and v for n, v in fields)


def hashes(kind, head, state, properties):
    told = is_sent_mail(kind, head)
    return {
        "content": hash_of("ostfs-1", head if told else head + properties),
        "all": hash_of("ostfs-1 all", head + state + properties),
    }


# From the properties.


def text(kind, data, page):
    if kind == TEXT:
        data = data[: len(data) // 2 * 2]
        # Class names are 8-bit text under the type of UTF-16 text in some files.
        if data[:4] in (b"IPF.", b"IPM.") and b"\0" in data:
            return data.split(b"\0")[0].decode("ascii", "replace")
        return data.decode("utf-16le", "replace").rstrip("\0")
    return data.decode(page, "replace").rstrip("\0")


def value(kind, data, page):
    if kind in (TEXT, TEXT8):
        return text(kind, data, page).encode("utf-8", "replace")
    if kind in FIXED and len(data) < FIXED[kind]:
        return b""
    if kind in (2, 3, 0xA, 6, 0x14):
        return str(int.from_bytes(data[: FIXED[kind]], "little", signed=True)).encode()
    if kind == 0x40:
        return str(int.from_bytes(data[:8], "little")).encode()
    if kind == 0xB:
        return b"1" if data[0] else b"0"
    if kind == 4:
        return struct.pack("<d", struct.unpack("<f", data[:4])[0])
    if kind in (5, 7):
        return data[:8]
    if kind == 0x48:
        return data[:16]
    if kind == 0x102:
        return data
    if kind & MULTIPLE:
        return b"".join(sha(value(kind & ~MULTIPLE, part, page)) for part in elements(kind & ~MULTIPLE, data))
    return b""


def elements(kind, data):
    if kind in FIXED:
        size = FIXED[kind]
        return [data[at : at + size] for at in range(0, len(data) // size * size, size)]
    if len(data) < 4:
        return []
    count = int.from_bytes(data[:4], "little")
    starts = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "little") for i in range(count)]
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]


def spec(candidate):
    candidate = (candidate or "").strip().lstrip("<").rstrip(">")
    candidate = candidate.removeprefix("mailto:")
    return candidate if ADDRESS.fullmatch(candidate) else None


def entry_ids(ids, page):
    """(kind, address) of the persons that these entry ids name."""
    for one in ids:
        if one and one[4:20] == ONE_OFF:
            flags = int.from_bytes(one[22:24], "little")
            rest = one[24:]
            if flags & 0x8000:
                parts = rest.decode("utf-16le", "replace").split("\0")
            else:
                parts = rest.decode(page, "replace").split("\0")
            if len(parts) > 2:
                yield "one-off", parts[2]
        elif one and one[4:20] == BOOK:
            yield "book", one[28:].split(b"\0")[0].decode(page, "replace")


def address(smtp, kind, stored, ids, key, name, page):
    stored, name = stored or "", name or ""
    is_exchange = (kind or "").upper() == "EX" or stored.startswith(("/o=", "/O="))
    key = (key or b"").split(b"\0")[0].decode("utf-8", "replace").lower()
    people = list(entry_ids(ids, page))
    tries = [*smtp, None if is_exchange else stored]
    tries += [address for what, address in people if what == "one-off"]
    tries += [stored, key[5:] if key.startswith("smtp:") else None, name.strip("'")]
    found = next(filter(None, map(spec, tries)), None)
    if not found:
        names = [stored] if is_exchange else []
        names += [address for what, address in people if what == "book"] + ([key[3:]] if key.startswith("ex:") else [])
        first = names[0] if names else ""
        found = first if first.startswith("/") else stored or name
    return squeezed(found).lower()


ROLES = ((0x5D02, 0x64, 0x65, 0x41, 0x3B, 0x42), (0x5D01, 0xC1E, 0xC1F, 0xC19, 0xC1D, 0xC1A))


class Item:
    def __init__(self, reader, message, names):
        self.reader, self.message, self.names = reader, message, names
        self.context, self.page = message.pc, message.cp

    def raw(self, tag):
        stored = self.context.props.get(tag)
        return (stored[0], self.context.raw(tag) or b"") if stored else None

    def text(self, tag):
        raw = self.raw(tag)
        return text(*raw, self.page) if raw and raw[0] in (TEXT, TEXT8) else ""

    def binary(self, tag):
        raw = self.raw(tag)
        return raw[1] if raw and raw[0] == 0x102 else b""

    def seconds(self, tag):
        raw = self.raw(tag)
        if not raw or raw[0] != 0x40 or len(raw[1]) < 8:
            return b""
        ticks = int.from_bytes(raw[1], "little")
        none = 0x0CB34557A3DD4000 <= ticks < 0x0CB34557A3DD4000 + 864_000_000_000
        return b"" if not ticks or none else str(ticks // 10_000_000 - 11_644_473_600).encode()

    def sender(self):
        for smtp, kind, stored, entry, key, name in ROLES:
            found = address(
                [self.text(smtp)], self.text(kind), self.text(stored), [self.binary(entry)], self.binary(key), self.text(name), self.page
            )
            if found:
                return found
        return ""

    def recipients(self):
        found = {"to": [], "cc": [], "bcc": []}
        table = self.message.table(0x692)
        for _, number in table.index if table else []:
            row = table.rowbytes(number)
            cells = {column[1]: (column[0], table.cell(row, column)) for column in table.cols} if row else {}
            cells = {tag: cell for tag, cell in cells.items() if cell[1] is not None}

            def words(tag):
                kind, data = cells.get(tag, (0, b""))
                return text(kind, data, self.page) if kind in (TEXT, TEXT8) else ""

            def binary(tag):
                kind, data = cells.get(tag, (0, b""))
                return data if kind == 0x102 else b""

            proxies = cells.get(0x800F, (0, b""))
            proxies = [text(proxies[0] & ~MULTIPLE, one, self.page) for one in elements(TEXT, proxies[1])] if proxies[0] & MULTIPLE else []
            main = [one[5:] for one in proxies if one.startswith("SMTP:")]
            original = words(0x403E) if words(0x403D).upper() == "SMTP" else None
            smtp = [words(0x39FE), original, main[0] if main else None]
            kind = int.from_bytes(cells.get(0x0C15, (3, b"\1"))[1], "little") & 15
            if kind == 0:
                continue
            who = address(
                smtp, words(0x3002), words(0x3003), [binary(0xFFF), binary(0x5FF7)], binary(0x300B), words(0x3001) or words(0x5FF6), self.page
            )
            found[{2: "cc", 3: "bcc"}.get(kind, "to")].append(who)
        return found

    def attachments(self):
        lines = []
        for _, _, context in self.message.attachments():
            own = Item(self.reader, self.message, self.names)
            own.context = context
            how, payload = self.message.attach_payload(context)
            name = own.text(0x3707) or own.text(0x3704) or own.text(0x3001)
            if how == "msg":
                inner = Item(self.reader, payload, self.names).hashes()
                if inner is None:
                    return None
                digest = inner["content"]
            elif payload:
                digest = sha(payload).hex()
            else:
                place = own.text(0x370D) or own.text(0x3708)
                digest = sha(place.encode()).hex() if place else ""
            lines.append(f"{digest} {squeezed(name)}\n")
        return "".join(sorted(lines, key=str.encode)).encode()

    def properties(self):
        fields = []
        for tag, (kind, _) in self.context.props.items():
            if tag in LEFT_OUT or 0xE00 <= tag <= 0xFFF or 0x6000 <= tag <= 0x67FF or kind == 0xD:
                continue
            name = f"property {tag:04x}"
            if tag >= 0x8000:
                group, own = self.names.get(tag, (None, None))
                if group in (None, NAMELESS) or own is None or (group, own) in NAMED_LEFT_OUT:
                    continue
                if group.startswith("00020386") and isinstance(own, str):
                    own = own.lower()
                name = f"property {group} " + (squeezed(own) if isinstance(own, str) else f"{own:04x}")
            data = self.context.raw(tag) or b""
            is_html = tag == 0x1013 and kind == TEXT8
            fields.append((name, data if is_html else value(kind, data, self.page)))
        return sorted(fields, key=lambda field: field[0].encode())

    def hashes(self):
        body = self.text(0x1000).replace("\uFFFC", "")
        if not body.strip() and any(tag in self.context.props for tag in (0x1009, 0x1013, 0x6619)):
            return None
        kind = self.text(0x1A).lower() or "ipm.note"
        attachments = self.attachments()
        if attachments is None:
            return None
        people = self.recipients()
        subject = self.reader.subject(self.text(0x37))[1] or ""
        head = [
            ("class", squeezed(kind).encode()),
            ("subject", squeezed(subject).encode("utf-8", "replace")),
            ("from", self.sender().encode("utf-8", "replace")),
            ("sent", self.seconds(0x39)),
            *((name, addresses(those)) for name, those in people.items()),
            ("body", squeezed(body).encode("utf-8", "replace")),
            ("attachments", attachments),
        ]
        flags = self.raw(0xE07)
        flags = int.from_bytes(flags[1], "little") & 9 if flags else 0
        state = [("state", str(flags).encode() if flags else b""), ("received", self.seconds(0xE06))]
        return hashes(kind, head, state, self.properties())


def of_file(reader, path):
    file = reader.Pst(path)
    names = reader.named(file)
    for nid in sorted(file.nbt):
        if nid & 0x1F == 4 and file.nbt[nid][0]:
            item = Item(reader, reader.Message(file.node(nid)), names)
            yield {"nid": nid, "hashes": item.hashes()}


# From exported mail: what a program without any reader of Outlook files can do.


def of_mail(message):
    def people(name):
        field = message[name]
        return addresses(one.addr_spec.lower() for one in field.addresses) if field else b""

    body, attached = "", []
    for part in message.walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        if part.get_content_disposition() == "attachment":
            attached.append(f"{sha(payload).hex()} {squeezed(part.get_filename())}\n")
        elif part.get_content_type() == "text/plain" and not body:
            body = payload.decode(part.get_content_charset() or "ascii")
    head = [
        ("class", b"ipm.note"),
        ("subject", squeezed(message["subject"] or "").encode()),
        ("from", message["from"].addresses[0].addr_spec.lower().encode()),
        ("sent", str(int(message["date"].datetime.timestamp())).encode()),
        *((name, people(name)) for name in ("to", "cc", "bcc")),
        ("body", squeezed(body).encode()),
        ("attachments", "".join(sorted(attached, key=str.encode)).encode()),
    ]
    return hash_of("ostfs-1", head)


def of_folder(folder):
    for top, _, files in os.walk(folder):
        for name in sorted(files):
            if name.endswith(".eml"):
                with open(os.path.join(top, name), "rb") as file:
                    message = email.message_from_binary_file(file, policy=email.policy.default)
                yield {"subject": message["subject"], "content": of_mail(message)}


if sys.argv[1] == "--eml":
    found = of_folder(sys.argv[2])
else:
    sys.path.insert(0, sys.argv[1])
    import reference_reader

    found = of_file(reference_reader, sys.argv[2])
for one in found:
    print(json.dumps(one))
