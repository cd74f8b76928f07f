"""The comparison of scripts/compare: ostfs and readpst write .eml files from the same data files, Python's email package
judges both by the same rules."""

import collections
import email
import email.policy
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OSTFS = os.path.join(ROOT, "target/release/ostfs")
FIXTURE = os.path.join(ROOT, "target/release/examples/fixture")
CORPUS = os.environ.get("OSTFS_CORPUS", os.path.join(ROOT, "../shared/corpus"))
# The longest line that RFC 5322 allows, without its end.
LONGEST_LINE = 998
# Header fields that a message has once at most.
SINGLE = "from sender reply-to to cc bcc subject date message-id in-reply-to references mime-version content-type".split()


def ostfs(file, target):
    return [OSTFS, "export", "-o", "attachments=eml", file, target]


def readpst(file, target):
    os.mkdir(target)
    # Deleted items too, and in one process: with more it loses messages at random.
    return ["readpst", "-q", "-e", "-D", "-j", "0", "-o", target, file]


PROGRAMS = {"ostfs": ostfs, "readpst": readpst}


class Judgement:
    """What was found in the messages of one program, over all files."""

    def __init__(self):
        self.counts = collections.Counter()
        self.examples = {}

    def hit(self, what, path, detail=""):
        self.counts[what] += 1
        self.examples.setdefault(what, f"{path} {detail}".strip())

    def read(self, path, name):
        """Judges one message file; a fault counts once for a file."""
        with open(path, "rb") as file:
            raw = file.read()
        faults = {}
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.hit("files", name)
        if not is_mail(message):
            return
        self.hit("mail", name)
        if max(map(len, re.split(rb"\r?\n", raw))) > LONGEST_LINE:
            faults["long line"] = ""
        if b"\0" in raw:
            faults["NUL"] = ""
        header(message, faults)
        for part in message.walk():
            part_faults(part, faults)
        inline_images(message, faults)
        body(message, faults)
        for fault, detail in faults.items():
            self.hit(fault, name, detail)


def is_mail(message):
    """Contacts, appointments, tasks and notes have no sender or recipients; only ostfs writes them as .eml."""
    classes = ("IPM.NOTE", "IPM.POST", "IPM.SCHEDULE.", "REPORT.")
    return message["x-ostfs-class"] is None or str(message["x-ostfs-class"]).upper().startswith(classes)


def header(message, faults):
    names = collections.Counter(name.lower() for name in message.keys())
    for name in SINGLE:
        if names[name] > 1:
            faults["duplicate field"] = name
    for name, fault in {"date": "no Date", "message-id": "no Message-ID"}.items():
        if not names[name]:
            faults[fault] = ""
    if not any(names[name] for name in ("to", "cc", "bcc")):
        faults["no recipients"] = ""
    field = lenient(message, "date")
    if names["date"] and getattr(field, "datetime", None) is None:
        faults["unparsable Date"] = str(field)
    field = lenient(message, "from")
    addresses = [address.addr_spec for address in getattr(field, "addresses", ())]
    if not any("@" in address and not address.endswith(".invalid") for address in addresses):
        faults["no sender address"] = str(field)
    if not addresses or any(address == "MAILER-DAEMON" for address in addresses):
        faults["no From"] = str(field)


def lenient(message, name):
    """A field, or None where Python cannot make anything of it."""
    try:
        return message[name]
    except Exception:
        return None


def part_faults(part, faults):
    for defect in part.defects:
        faults["MIME defect"] = type(defect).__name__
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        inner = inner[0] if isinstance(inner, list) and inner else None
        if inner is None or not inner.keys() or inner.defects:
            faults["broken embedded message"] = ""
    if not kind.startswith("text/") or part.is_multipart() or part.get_filename():
        return
    if (part["content-transfer-encoding"] or "").lower().strip() == "base64":
        faults["text in base64"] = kind
    payload = part.get_payload(decode=True) or b""
    charset = part.get_content_charset()
    try:
        text = payload.decode(charset or "ascii")
        if "\ufffd" in text:
            faults["charset"] = "U+FFFD"
    except (LookupError, UnicodeDecodeError) as error:
        faults["charset"] = f"{charset}: {error}"


def inline_images(message, faults):
    parts = list(message.walk())
    have = {str(part["content-id"]).strip().strip("<>") for part in parts if part["content-id"]}
    for part in parts:
        if part.get_content_type() == "text/html" and not part.is_multipart():
            html = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
            missing = set(re.findall(r"<img[^>]*[\"' =]cid:([^\"'>\s)]+)", html)) - have
            if missing:
                faults["image reference leads nowhere"] = min(missing)


def body(message, faults):
    """Whether the message itself shows text; the RTF that may hold it is no text for mail programs, nor for grep."""
    todo = [message]
    texts = []
    has_rtf = False
    while todo:
        part = todo.pop()
        kind = part.get_content_type()
        if kind == "message/rfc822":
            continue
        if part.is_multipart():
            todo.extend(part.get_payload())
        elif kind in ("text/rtf", "application/rtf") and part.get_filename() in ("rtf-body.rtf", "body.rtf"):
            has_rtf = True
        elif kind.startswith("text/") and not part.get_filename():
            texts.append((kind, (part.get_payload(decode=True) or b"").strip()))
    if any(content for kind, content in texts if kind == "text/plain"):
        return
    if any(visible(content) for kind, content in texts if kind == "text/html"):
        faults["HTML alone"] = ""
    elif has_rtf:
        faults["RTF alone"] = ""


def visible(html):
    """Whether something is left of HTML without its tags."""
    html = re.sub(rb"(?is)<(style|script|title)\b.*?</\1>|<!--.*?-->|<[^>]*>|&nbsp;|&#160;|\xc2\xa0|\xa0", b" ", html)
    return html.strip()


def paths(directory):
    for top, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            yield os.path.join(top, name)


def picture(directory):
    """Hash of all paths and bytes of a tree."""
    digest = hashlib.sha256()
    for path in paths(directory):
        digest.update(os.path.relpath(path, directory).encode("utf-8", "surrogateescape"))
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.digest()


# Items that are not mail, each in its own format.
OTHERS = (".ics", ".vcf", ".txt")


def run(command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def write(program, file, work):
    """Two runs of a program: exit code, the tree, whether both are the same."""
    trees = []
    for number in (1, 2):
        # What a program makes up from the clock differs in the next second.
        time.sleep(number - 1)
        target = os.path.join(work, f"{program}-{number}")
        code = run(PROGRAMS[program](file, target))
        trees.append(target)
    return code, trees[0], picture(trees[0]) == picture(trees[1])


def sources():
    files = [argument for argument in sys.argv[1:] if argument != "-v"]
    if files:
        return files, None
    real = os.path.join(CORPUS, "files")
    if os.path.isdir(real):
        return [os.path.join(real, name) for name in sorted(os.listdir(real))], None
    work = tempfile.TemporaryDirectory()
    files = [os.path.join(work.name, "sample.pst"), os.path.join(work.name, "many.pst")]
    subprocess.run([FIXTURE, "sample", files[0]], check=True, stdout=subprocess.DEVNULL)
    many = ["many", files[1], "--messages", "500", "--folders", "5", "--bytes", "10M"]
    subprocess.run([FIXTURE, *many], check=True, stdout=subprocess.DEVNULL)
    return files, work


ROWS = [
    ("files that it opened", "opened"),
    ("items that the folders list (`ostfs info`)", "expected"),
    ("`.eml` files written", "files"),
    ("`.ics`, `.vcf` and note files written", "others"),
    ("items fewer than counted (sum over files)", "missing"),
    ("items more than counted (sum over files)", "more"),
    ("a run a second later writes the same bytes (files)", "same"),
    ("`.eml` files that are mail, and judged below", "mail"),
    ("**faults** (mails that have them)", None),
    ("MIME defects by Python's `email`", "MIME defect"),
    ("embedded message broken", "broken embedded message"),
    ("a field twice that may occur once", "duplicate field"),
    ("no From, or `MAILER-DAEMON`", "no From"),
    ("no SMTP address in From", "no sender address"),
    ("no Date", "no Date"),
    ("Date that cannot be parsed", "unparsable Date"),
    ("no Message-ID", "no Message-ID"),
    ("no To, Cc or Bcc", "no recipients"),
    ("body in an RTF file alone", "RTF alone"),
    ("HTML without a text form", "HTML alone"),
    ("text in base64, which `grep` does not find", "text in base64"),
    ("text that is not in the character set it names", "charset"),
    ("line of more than 998 octets", "long line"),
    ("NUL bytes", "NUL"),
    ("inline image whose Content-ID is nowhere", "image reference leads nowhere"),
]


def main():
    files, work = sources()
    judged = {program: Judgement() for program in PROGRAMS}
    for file in files:
        info = subprocess.run([OSTFS, "info", "--json", file], capture_output=True, text=True)
        expected = json.loads(info.stdout)["messages"] if info.returncode == 0 else 0
        for program, judgement in judged.items():
            judgement.counts["expected"] += expected
            with tempfile.TemporaryDirectory() as directory:
                code, tree, same = write(program, file, directory)
                # 4 of ostfs: all is written, and the file has errors.
                judgement.counts["opened"] += code in (0, 4)
                judgement.counts["same"] += same
                written = 0
                for path in paths(tree):
                    written += path.endswith((".eml", *OTHERS))
                    judgement.counts["others"] += path.endswith(OTHERS)
                    if path.endswith(".eml"):
                        judgement.read(path, f"{os.path.basename(file)}/{os.path.relpath(path, tree)}")
                judgement.counts["missing"] += max(expected - written, 0)
                judgement.counts["more"] += max(written - expected, 0)
    version = subprocess.run(["readpst", "-V"], capture_output=True, text=True)
    version = re.search(r"v([0-9.]+)", version.stdout + version.stderr)[1]
    print(f"{len(files)} data files\n\n| | " + " | ".join(PROGRAMS) + f" {version} |")
    print("|---|" + "---:|" * len(PROGRAMS))
    for label, key in ROWS:
        cells = ["" if key is None else f"{judgement.counts[key]:,}" for judgement in judged.values()]
        print(f"| {label} | " + " | ".join(cells) + " |")
    if "-v" in sys.argv:
        for program, judgement in judged.items():
            for what, example in sorted(judgement.examples.items()):
                print(f"{program}: {what}: {judgement.counts[what]}, as in {example}", file=sys.stderr)
    if work:
        work.cleanup()


if __name__ == "__main__":
    main()
