"""Compares the .txt beside each .eml below the directories given with what Python's email package reads in the .eml. Prints
how many it compared, and a line for each difference."""
import email, email.policy, email.utils, pathlib, sys

def words(text):
    return " ".join(text.split())

compared = 0
for top in sys.argv[1:]:
    for eml in sorted(pathlib.Path(top).rglob("*.eml")):
        txt = eml.with_name(eml.name[:-4] + ".txt")
        if any(part.endswith(".attachments") for part in eml.parts):
            continue
        text = txt.read_text("utf-8")
        header, body = text.split("\n\n", 1)
        message = email.message_from_bytes(eml.read_bytes(), policy=email.policy.default)
        compared += 1
        def differs(what, expected):
            print(f"{txt}: {what}: {expected!r} is not in it")
        fields = [line.split(": ", 1) for line in header.split("\n")]
        subject = words(str(message["subject"] or ""))
        if subject and subject not in (words(value) for name, value in fields if name == "Subject"):
            differs("subject", subject)
        shown = words(header)
        for name in ("from", "to", "cc"):
            for _, address in email.utils.getaddresses([str(value) for value in message.get_all(name, [])]):
                if address and "ostfs.invalid" not in address and address not in shown:
                    differs(name, address)
        for part in message.iter_attachments():
            name = part.get_filename()
            # Other forms of the item itself are no attachments of it.
            own = part.get_content_type() in ("text/calendar", "text/vcard") or name == "body.rtf"
            if name and not own and words(name) not in shown:
                differs("attachment", name)
        plain = message.get_body(("plain",))
        if plain is not None and plain.get_param("format") != "flowed":
            expected = words(plain.get_content())
            if expected not in words(text):
                differs("body", expected[:200])
print(f"{compared} compared")
