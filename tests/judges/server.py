"""Stores every file in a CalDAV and CardDAV server (radicale) of its own on loopback.

Usage: server.py MANIFEST SCRATCH, a JSON list of {"file": path, "collection": name, ...}.
"""
import http.client
import json
import os
import socket
import subprocess
import sys
import time

MKCOL = """<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav">
<set><prop><resourcetype><collection/>%s</resourcetype></prop></set></mkcol>"""


def request(port, method, path, body=b"", kind="text/plain"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"Content-Type": kind, "Authorization": "Basic dTpw"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, text


def main():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(os.path.join(sys.argv[2], "radicale.log"), "wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", "", "--server-hosts", "127.0.0.1:%d" % port, "--auth-type", "none",
         "--rights-type", "authenticated", "--storage-filesystem-folder", os.path.join(sys.argv[2], "store")],
        stdout=log, stderr=log)
    stored = failed = 0
    try:
        for _ in range(300):
            try:
                request(port, "GET", "/.web/")
                break
            except OSError:
                time.sleep(0.1)
        request(port, "MKCOL", "/u/")
        made = set()
        for entry in json.load(open(sys.argv[1])):
            name = entry["file"]
            # A calendar takes events, not messages about them.
            if name.endswith(".txt") or entry.get("is_message"):
                continue
            is_card = name.endswith(".vcf")
            collection = "/u/%s%s/" % (entry["collection"], "-cards" if is_card else "")
            if collection not in made:
                made.add(collection)
                kind = "<CR:addressbook/>" if is_card else "<C:calendar/>"
                status, text = request(port, "MKCOL", collection, (MKCOL % kind).encode(), "application/xml")
                if status != 201:
                    sys.exit("MKCOL %s: %d %s" % (collection, status, text))
            with open(name, "rb") as file:
                body = file.read()
            kind = "text/vcard; charset=utf-8" if is_card else "text/calendar; charset=utf-8"
            status, text = request(port, "PUT", collection + os.path.basename(name), body, kind)
            if status == 201:
                stored += 1
            else:
                failed += 1
                print("%s: %d %s" % (name, status, text[:200]))
    finally:
        # Asked to end, it may wait for a connection without end.
        server.kill()
        server.wait()
    print("%d stored, %d refused" % (stored, failed))
    sys.exit(failed > 0 or stored == 0)


main()
