"""Follows every link of the views of a mount, and asks Python's email package whether it leads where its directory says.
usage: views.py MOUNT
Prints as JSON for each view how many links lead to messages or attachments, which the judge read."""
import email
import email.policy
import email.utils
import json
import os
import re
import sys
from datetime import timezone

mount = sys.argv[1]
control = os.path.join(mount, ".ostfs")


def links(view):
    """Each link with the directory that it is in, from the view on, and the file that it leads to."""
    top = os.path.join(control, view)
    for directory, folders, files in os.walk(top):
        for name in files:
            link = os.path.join(directory, name)
            assert os.path.islink(link), link
            assert not os.path.isabs(os.readlink(link)), link
            target = os.path.realpath(link)
            assert target.startswith(os.path.realpath(mount) + "/"), target
            assert "/.ostfs/" not in target, target
            yield os.path.relpath(directory, top), name, target
        # What os.walk takes for a directory may be a link to one.
        assert not any(os.path.islink(os.path.join(directory, each)) for each in folders)


def message(path):
    with open(path, "rb") as file:
        return email.message_from_binary_file(file, policy=email.policy.default)


def mails(view):
    for group, _, target in links(view):
        if target.endswith(".eml"):
            yield group, message(target)


def date(mail):
    if "Date" not in mail:
        return "(no date)"
    moment = email.utils.parsedate_to_datetime(mail["Date"])
    return moment.astimezone(timezone.utc).strftime("%Y/%m")


def sender(mail):
    # A message has a From whether or not it has a sender.
    (first, *_) = mail["From"].addresses
    if first.domain == "ostfs.invalid":
        return "(no sender)"
    # What no name of a file may have stands as an underscore.
    return re.sub(r'[/\\:*?"<>|]', "_", first.display_name)


counts = dict.fromkeys(("by-date", "by-sender", "threads", "attachments"), 0)
for group, mail in mails("by-date"):
    assert group == date(mail), (group, mail["Date"])
    counts["by-date"] += 1
for group, mail in mails("by-sender"):
    assert group.casefold() == sender(mail).casefold(), (group, mail["From"])
    counts["by-sender"] += 1
for group, mail in mails("threads"):
    subject = re.sub(r"^(re|fwd?|aw): ", "", mail["Subject"], flags=re.I)
    assert group.casefold() == subject.casefold(), (group, mail["Subject"])
    counts["threads"] += 1
for group, name, target in links("attachments"):
    stem, dot, extension = os.path.basename(target).rpartition(".")
    assert group == (extension.lower() if stem else "(no extension)"), (group, target)
    # The file is a part of the message whose directory it is in.
    directory = os.path.dirname(target)
    mail = directory.removesuffix(".attachments")
    while not os.path.exists(mail + ".eml"):
        directory = os.path.dirname(directory)
        mail = directory.removesuffix(".attachments")
        assert len(directory) > len(mount), target
    with open(target, "rb") as file:
        content = file.read()
    parts = [part for part in message(mail + ".eml").walk() if not part.is_multipart()]
    decoded = [part.get_payload(decode=True) for part in parts]
    assert extension == "eml" or content in decoded, target
    counts["attachments"] += 1
print(json.dumps(counts, sort_keys=True))
