"""Looks for words in the .eml files of an export with Python's email package, which knows nothing of ostfs.
usage: search.py FOLDER <QUERIES, one JSON list [[FIELD, VALUE], ...] a line, all of which have to fit.
Prints for each a JSON list of the paths that fit, sorted."""
import email
import email.policy
import html.parser
import json
import os
import re
import sys
import unicodedata


def words(text):
    """Words without case and accents."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", text)


def has(text, wanted):
    found, wanted = words(text), words(wanted)
    return any(found[at : at + len(wanted)] == wanted for at in range(len(found)))


class Shown(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.silent = [], 0

    def handle_starttag(self, tag, attributes):
        self.silent += tag in ("head", "style", "script")
        self.text.append(" ")

    def handle_endtag(self, tag):
        self.silent -= tag in ("head", "style", "script")
        self.text.append(" ")

    def handle_data(self, data):
        if not self.silent:
            self.text.append(data)


def text_of(part):
    if part.get_content_type() == "text/html":
        shown = Shown()
        shown.feed(part.get_content())
        return "".join(shown.text)
    return part.get_content()


def read(path):
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    body = message.get_body(preferencelist=("plain", "html"))
    attached = list(message.iter_attachments()) if message.is_multipart() else []
    return {
        "subject": str(message["subject"] or ""),
        "from": str(message["from"] or ""),
        "to": str(message["to"] or ""),
        "cc": str(message["cc"] or ""),
        "body": text_of(body) if body else "",
        "attachment": "\n".join(part.get_filename() or "" for part in attached),
        "date": message["date"].datetime.strftime("%Y-%m-%d"),
        "unread": "R" not in (message["status"] or ""),
    }


def fits(mail, field, value):
    if field == "date":
        first, last = value
        return first <= mail["date"] <= last
    if field == "unread":
        return mail["unread"] == value
    return has(mail[field], value)


folder = sys.argv[1]
mails = {}
for directory, below, files in os.walk(folder):
    below[:] = [name for name in below if not name.endswith(".attachments")]
    for name in files:
        if name.endswith(".eml"):
            path = os.path.join(directory, name)
            mails[os.path.relpath(path, folder)] = read(path)
for line in sys.stdin:
    query = json.loads(line)
    found = [path for path, mail in mails.items() if all(fits(mail, *part) for part in query)]
    print(json.dumps(sorted(found)))
