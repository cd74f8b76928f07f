"""Prints a line for each item that a reader finds in a PST: pst-readers.py pypff|aspose FILE"""

import sys


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


READERS = {"pypff": pypff_items, "aspose": aspose_items}

if __name__ == "__main__":
    for item in READERS[sys.argv[1]](sys.argv[2]):
        print(" ".join(item.split()).encode("utf-8", "replace").decode())
