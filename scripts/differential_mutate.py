"""Changes Outlook data files: bytes, with and without right checksums, pages and blocks in each other's place, fields that
are those of their neighbours. The format is in docs/FORMAT.md; this is a third reading of it, beside those of the program
and of the writer of the tests."""

import struct
import zlib

MAGIC = b"!BDN"
BBT, NBT = 0x80, 0x81
# Pages of one tree that are looked at; no tree of a small file has more.
MOST_PAGES = 10_000


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


class Layout:
    """Widths and offsets of one of the three formats."""

    def __init__(self, version):
        self.is_ansi = version < 20
        self.is_4k = version == 36
        self.word = 4 if self.is_ansi else 8
        self.page = 4096 if self.is_4k else 512
        self.entries = 4056 if self.is_4k else 496 if self.is_ansi else 488
        self.checked = 4072 if self.is_4k else 500 if self.is_ansi else 496
        self.crc_of_page = 4076 if self.is_4k else 508 if self.is_ansi else 500
        self.trailer = 24 if self.is_4k else 12 if self.is_ansi else 16
        self.crc_in_trailer = 8 if self.is_ansi else 4
        self.alignment = 512 if self.is_4k else 64
        self.roots = (188, 196) if self.is_ansi else (224, 240)

    def number(self, data, at):
        return int.from_bytes(data[at : at + self.word], "little")

    def block(self, size):
        """Bytes in the file of a block of `size` bytes."""
        return -(-(size + self.trailer) // self.alignment) * self.alignment


class Image:
    """A whole file: its bytes, the pages of both trees, and its blocks as (offset, size)."""

    def __init__(self, data):
        if data[:4] != MAGIC:
            raise ValueError("not an Outlook data file")
        self.data = bytearray(data)
        self.layout = Layout(struct.unpack_from("<H", data, 10)[0])
        self.pages = []
        self.leaves = []
        self.blocks = []
        for root in self.layout.roots:
            self.tree(self.layout.number(data, root))

    def tree(self, root):
        todo, seen = [root], set()
        while todo and len(seen) < MOST_PAGES:
            at = todo.pop()
            if at in seen or not 0 < at <= len(self.data) - self.layout.page:
                continue
            seen.add(at)
            self.pages.append(at)
            kind, level, width, entries = self.entries(at)
            if level == 0:
                self.leaves.append(at)
            for entry in entries:
                if level:
                    todo.append(self.layout.number(self.data, entry + 2 * self.layout.word))
                elif kind == BBT:
                    self.block(entry)

    def entries(self, at):
        """Kind and level of the page at `at`, the width of its entries and the offset of each."""
        layout, data, head = self.layout, self.data, at + self.layout.entries
        if layout.is_4k:
            count, _, width, level = struct.unpack_from("<HHBB", data, head)
        else:
            count, _, width, level = struct.unpack_from("<BBBB", data, head)
        count = min(count, layout.entries // width) if width else 0
        return data[at + layout.checked], level, width, [at + number * width for number in range(count)]

    def block(self, entry):
        layout = self.layout
        at = layout.number(self.data, entry + layout.word)
        size = struct.unpack_from("<H", self.data, entry + 2 * layout.word)[0]
        if size and at + layout.block(size) <= len(self.data):
            self.blocks.append((at, size))

    def mend_page(self, data, at):
        layout = self.layout
        struct.pack_into("<I", data, at + layout.crc_of_page, crc(data[at : at + layout.checked]))

    def mend_block(self, data, block):
        at, size = block
        trailer = at + self.layout.block(size) - self.layout.trailer
        struct.pack_into("<I", data, trailer + self.layout.crc_in_trailer, crc(data[at : at + size]))


def is_in_order(path):
    """Whether in each leaf of the B-trees of a file the keys ascend, as far as the trees can be walked."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        image = Image(data)
    except (ValueError, IndexError, struct.error):
        return True
    for leaf in image.leaves:
        keys = [image.layout.number(image.data, entry) for entry in image.entries(leaf)[3]]
        if any(one >= other for one, other in zip(keys, keys[1:])):
            return False
    return True


def another(random, byte):
    return byte ^ random.randrange(1, 256)


def bytes_anywhere(random, image):
    data = bytearray(image.data)
    for _ in range(random.randrange(1, 9)):
        at = random.randrange(len(data))
        data[at] = another(random, data[at])
    return data


def bytes_of_blocks(random, image):
    data = bytearray(image.data)
    for _ in range(random.randrange(1, 4)):
        at, size = block = random.choice(image.blocks)
        place = at + random.randrange(size)
        data[place] = another(random, data[place])
        image.mend_block(data, block)
    return data


def bytes_of_pages(random, image):
    data = bytearray(image.data)
    at = random.choice(image.pages)
    _, _, width, entries = image.entries(at)
    # What lies behind the entries has no meaning.
    room = max(width * len(entries), 1)
    place = at + random.choice([random.randrange(room), image.layout.entries + random.randrange(4)])
    data[place] = another(random, data[place])
    image.mend_page(data, at)
    return data


def pages_swapped(random, image):
    data, size = bytearray(image.data), image.layout.page
    one, other = random.choice(image.pages), random.choice(image.pages)
    first, second = bytes(data[one : one + size]), bytes(data[other : other + size])
    data[one : one + size], data[other : other + size] = second, first
    return data


def blocks_swapped(random, image):
    data, layout = bytearray(image.data), image.layout
    at, size = random.choice(image.blocks)
    whole = layout.block(size)
    other, _ = random.choice([block for block in image.blocks if layout.block(block[1]) == whole])
    first, second = bytes(data[at : at + whole]), bytes(data[other : other + whole])
    data[at : at + whole], data[other : other + whole] = second, first
    return data


def entry_of_its_neighbour(random, image):
    """A field of an entry is that of the entry beside it."""
    data, layout = bytearray(image.data), image.layout
    at = random.choice(image.leaves)
    _, _, width, entries = image.entries(at)
    if len(entries) > 1:
        number = random.randrange(len(entries) - 1)
        pair = entries[number], entries[number + 1]
        to, source = random.sample(pair, 2)
        field = random.randrange(width // layout.word) * layout.word
        data[to + field : to + field + layout.word] = data[source + field : source + field + layout.word]
    image.mend_page(data, at)
    return data


def words_of_their_neighbours(random, image):
    """In a block, a number is the one before it. Encoded by bytes alone, a file has the same there when it is decoded."""
    data = bytearray(image.data)
    for _ in range(random.randrange(1, 4)):
        at, size = block = random.choice(image.blocks)
        width = random.choice([2, 4, 8])
        if size >= 2 * width:
            place = at + random.randrange(size // width - 1) * width
            data[place + width : place + 2 * width] = data[place : place + width]
        image.mend_block(data, block)
    return data


def cut(random, image):
    return image.data[: random.randrange(1024, len(image.data))]


MUTATIONS = [
    bytes_anywhere,
    bytes_of_blocks,
    bytes_of_pages,
    pages_swapped,
    blocks_swapped,
    entry_of_its_neighbour,
    words_of_their_neighbours,
    cut,
]
