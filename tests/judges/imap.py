"""Asks an IMAP server, which the arguments start and which serves its standard input, for all of its mail, and prints it as
JSON: by mailbox and subject the flags, the time of arrival in seconds and the media types of the parts."""
import calendar, email, email.policy, imaplib, json, shlex, sys, time

imaplib._MAXLINE = 10_000_000
server = imaplib.IMAP4_stream(shlex.join(sys.argv[1:]))
mailboxes = {}
for line in server.list()[1]:
    name = line.decode("ascii").split(' "." ', 1)[1].strip('"')
    state, count = server.select(f'"{name}"', readonly=True)
    assert state == "OK", (name, count)
    mails = mailboxes.setdefault(name, {})
    if count[0] == b"0":
        continue
    for answer in server.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if not isinstance(answer, tuple):
            continue
        facts, content = answer
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert message["subject"] not in mails, f"{name}: {message['subject']} twice"
        mails[message["subject"]] = {
            "flags": sorted(flag.decode() for flag in imaplib.ParseFlags(facts) if flag != rb"\Recent"),
            "time": int(calendar.timegm(time.gmtime(time.mktime(imaplib.Internaldate2tuple(facts))))),
            "parts": [part.get_content_type() for part in message.walk() if not part.is_multipart()],
            "names": [part.get_filename() for part in message.walk() if part.get_filename()],
        }
server.logout()
json.dump(mailboxes, sys.stdout)
