"""Prints a line for each item that a reader finds in a PST: pst-readers.py pypff|aspose|tika FILE"""

import sys
from html.parser import HTMLParser


def pypff_items(path):
    import pypff

    file = pypff.file()
    file.open(path)
    todo = [file.get_root_folder()]
    while todo:
        folder = todo.pop()
        for message in folder.sub_messages:
            # Of some classes pypff has no subjects and attachments.
            subject = getattr(message, "subject", "")
            attachments = getattr(message, "number_of_attachments", 0)
            yield f"{folder.name}/{subject} {attachments}"
        todo.extend(folder.sub_folders)


def aspose_items(path):
    from aspose.email.storage.pst import PersonalStorage

    store = PersonalStorage.from_file(path, False)
    todo = [store.root_folder]
    while todo:
        folder = todo.pop()
        for entry in folder.enumerate_messages_entry_id():
            message = store.extract_message(entry)
            yield f"{folder.display_name}/{message.subject} {len(message.attachments)}"
        todo.extend(folder.get_sub_folders())


class TikaItems(HTMLParser):
    """Items in the XHTML that Tika makes of a PST: an element for each folder, within it one for each item, and within that one
    for each file or message that is attached. The title of each is its first heading."""

    def __init__(self):
        super().__init__()
        self.items = []
        # Classes of the elements around, titles of the folders among them, attachments of the item, and where the text goes.
        self.classes, self.folders, self.attached, self.title = [], [], 0, None

    def handle_starttag(self, tag, attributes):
        kind = dict(attributes).get("class") if tag == "div" else None
        if kind == "email-folder":
            self.folders.append("")
        elif kind == "package-entry":
            self.attached = self.attached + 1 if kind in self.classes else 0
        if tag == "div":
            self.classes.append(kind)
        elif tag == "h1" and self.classes:
            self.title = ""

    def handle_data(self, data):
        if self.title is not None:
            self.title += data

    def handle_endtag(self, tag):
        if tag == "h1" and self.title is not None:
            if self.classes[-1] == "email-folder":
                self.folders[-1] = self.title
            elif self.classes[-1] == "package-entry" and not self.attached:
                self.subject = self.title
            self.title = None
        elif tag == "div" and self.classes:
            kind = self.classes.pop()
            if kind == "email-folder":
                self.folders.pop()
            elif kind == "package-entry" and kind not in self.classes:
                self.items.append(f"{self.folders[-1]}/{self.subject} {self.attached}")


def tika_items(path):
    from iscc_tika import Extractor

    # Longer than any text of a test.
    reader = Extractor().set_extract_string_max_length(1 << 30).set_xml_output(True)
    text, _ = reader.extract_file_to_string(path)
    found = TikaItems()
    found.feed(text)
    return found.items


READERS = {"pypff": pypff_items, "aspose": aspose_items, "tika": tika_items}

if __name__ == "__main__":
    for item in READERS[sys.argv[1]](sys.argv[2]):
        print(" ".join(item.split()).encode("utf-8", "replace").decode())
