"""Compares a PST that ostfs has written with its source, property by property, by a reader that shares no code with ostfs.
usage: pst_properties.py FOLDER_OF_READER PST-OUT.md SOURCE NEW
Prints what differs beyond the changes that PST-OUT.md names; nothing if that is all."""
import collections
import re
import sys

sys.path.insert(0, sys.argv[1])
import reference_reader as reader  # noqa: E402

TEXT, TEXT8, BINARY, OBJECT, INTEGER, BOOLEAN = 0x1F, 0x1E, 0x102, 0xD, 3, 11
MULTIPLE = 0x1000
NAMELESS = "6674736f-2d73-616e-6d65-6c6573732d31"


def left_out(document):
    """The properties that the document says are left out, by kind of object."""
    lists = re.findall(r"^\* Of (\w+): ((?:0x[0-9A-F]{4}\s+)+)", open(document).read(), re.M)
    named = {kind: {int(tag, 16) for tag in tags.split()} for kind, tags in lists}
    return lambda kind: named["anything"] | named[kind]


LEFT_OUT = left_out(sys.argv[2])
# Made anew, or made if they are missing; the values that are there are compared below.
COUNTED = {0x0E08, 0x0E20}
MADE = {0x001A, 0x0E07, 0x0E17, 0x3007, 0x3008, 0x300B, 0x3705, 0x370B}


def text_of(kind, data, page):
    if kind == TEXT8:
        data = data.decode(page, "replace").encode("utf-16le", "surrogatepass")
    data = data[: len(data) // 2 * 2]
    while data[-2:] == b"\0\0":
        data = data[:-2]
    return data


def value_of(tag, kind, data, page):
    """Type and value as a Unicode PST has them."""
    if kind in (TEXT, TEXT8) and not (tag == 0x1013 and kind == TEXT8):
        return TEXT, text_of(kind, data, page)
    if tag == 0x1013 and kind == TEXT8:
        return BINARY, data
    if kind in (TEXT | MULTIPLE, TEXT8 | MULTIPLE):
        count = int.from_bytes(data[:4], "little")
        starts = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "little") for i in range(count)]
        parts = [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]
        return TEXT | MULTIPLE, tuple(text_of(kind & ~MULTIPLE, part, page) for part in parts)
    if kind == BOOLEAN:
        return kind, data[0] != 0
    return kind, data


def name_of(names, tag):
    if tag < 0x8000:
        return tag
    group, name = names.get(tag, (NAMELESS, tag))
    if group == NAMELESS or name is None:
        return NAMELESS, tag if name is None else name
    # ostfs keeps names of header fields in lower case, where case does not count.
    lower = group.startswith("00020386") and isinstance(name, str)
    return group, name.lower() if lower else name


def properties(context, names, page, kind):
    values = {}
    for tag, (stored, _) in context.props.items():
        if (tag, stored) == (0, 0) or tag in LEFT_OUT(kind) or tag in COUNTED or (tag == 0x3701 and kind == "attachments"):
            continue
        value = value_of(tag, stored, context.raw(tag), page)
        if stored & MULTIPLE and not value[1]:
            continue
        values[name_of(names, tag)] = value
    if kind == "messages":
        flags = int.from_bytes(values.get(0x0E07, (INTEGER, b"\0\0\0\0"))[1], "little")
        values[0x0E07] = flags & ~0x54
        values.pop(0x0E17, None)
    return values


ADDRESS = "00062004-0000-0000-c000-000000000046"
MEMBERS, ONE_OFFS, CHECKSUM = ((ADDRESS, number) for number in (0x8055, 0x8054, 0x804C))


def elements(data):
    count = int.from_bytes(data[:4], "little")
    starts = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "little") for i in range(count)]
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]


def checksum(members):
    return reader.crc(b"".join(members)).to_bytes(4, "little")


def change(item):
    """What becomes of an item: contacts in lists are named by what the list has beside them."""
    with_one_offs(item["properties"])
    for _, how, payload in item["attachments"]:
        if how == "msg" and payload:
            change(payload)


def with_one_offs(values):
    if not all(name in values for name in (MEMBERS, ONE_OFFS, CHECKSUM)):
        return
    members, one_offs = (elements(values[name][1]) for name in (MEMBERS, ONE_OFFS))
    if len(members) != len(one_offs) or values[CHECKSUM][1] != checksum(members):
        return
    wrapped = bytes.fromhex("00000000c091add3519dcf11a4a900aa0047faa4")
    pairs = zip(members, one_offs)
    members = [new if old[:20] == wrapped and old[20] & 15 == 3 else old for old, new in pairs]
    at, starts = 4 + 4 * len(members), b""
    for member in members:
        starts += at.to_bytes(4, "little")
        at += len(member)
    count = len(members).to_bytes(4, "little")
    values[MEMBERS] = (values[MEMBERS][0], count + starts + b"".join(members))
    values[CHECKSUM] = (values[CHECKSUM][0], checksum(members))


def rows_of(table, names, page):
    rows = []
    for _, number in table.index:
        row, cells = table.rowbytes(number), {}
        for column in table.cols:
            kind, tag = column[:2]
            data = table.cell(row, column) if row else None
            if data is None or tag in LEFT_OUT("recipients") or (kind & MULTIPLE and not data):
                continue
            cells[name_of(names, tag)] = value_of(tag, kind, data, page)
        rows.append(cells)
    return rows


def item_of(message, names):
    """All that a message is."""
    table = message.table(0x692)
    attachments = []
    listed = message.table(0x671)
    order = {nid: number for nid, number in listed.index} if listed else {}
    found = message.attachments()
    for _, _, context in sorted(found, key=lambda one: (order.get(one[0], len(found)), one[0])):
        if context is None:
            continue
        how, payload = message.attach_payload(context)
        if how == "msg":
            payload = item_of(payload, names)
        own = properties(context, names, message.cp, "attachments")
        attachments.append((own, how if payload else None, payload or None))
    return {
        "properties": properties(message.pc, names, message.cp, "messages"),
        "recipients": rows_of(table, names, message.cp) if table else [],
        "attachments": attachments,
    }


def differences(old, new, place):
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(set(old) | set(new), key=str):
            if key not in old and key in MADE:
                continue
            shown = hex(key) if isinstance(key, int) else key
            yield from differences(old.get(key), new.get(key), f"{place}/{shown}")
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) and len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new)):
            yield from differences(a, b, f"{place}/{number}")
    elif old != new:
        yield f"{place}: {str(old)[:100]} became {str(new)[:100]}"


def key_of(item):
    """What is in most messages, and in few others."""
    own = item["properties"]
    tags = (0x0037, 0x1035, 0x0071, 0x0039, 0x3001)
    return tuple(str(own.get(tag)) for tag in tags)


def items_of(path):
    file = reader.Pst(path)
    names = reader.named(file)
    items = collections.defaultdict(list)
    for nid in sorted(file.nbt):
        if nid & 0x1F != 4 or not file.nbt[nid][0]:
            continue
        try:
            item = item_of(reader.Message(file.node(nid)), names)
        except reader.Bad as problem:
            print(f"{path}: {nid:#x}: {problem}", file=sys.stderr)
            continue
        items[key_of(item)].append((nid, item))
    return items


def main():
    old, new = items_of(sys.argv[3]), items_of(sys.argv[4])
    for items in old.values():
        for _, item in items:
            change(item)
    for key, items in new.items():
        left = old.get(key, [])
        for nid, item in items:
            best = None
            for index, (_, source) in enumerate(left):
                found = list(differences(source, item, hex(nid)))
                if best is None or len(found) < len(best[1]):
                    best = index, found
                if not found:
                    break
            if best is None:
                print(f"{nid:#x}: nothing like it in the source: {key}")
                continue
            del left[best[0]]
            for line in best[1]:
                print(line)


main()
