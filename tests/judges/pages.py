"""Makes a page of each HTML body that shows inline images, its images put in place by their Content-ID or
Content-Location: pages.py DIRECTORY MESSAGE... Prints what the pages shall show. index.html opens all of them in frames
and writes down what the browser made of them."""

import base64
import email
import email.policy
import json
import os
import re
import sys
import urllib.parse

SHOWN = {"image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "image/svg+xml"}

REPORT = """
<script>
addEventListener("load", () => {
  const images = [...document.images].filter(image => image.src.startsWith("data:"));
  const loaded = images.filter(image => image.complete && image.naturalWidth > 0);
  parent.postMessage({page: "NAME", loaded: loaded.length, text: document.body.innerText.trim().length > 0
    || images.length > 0}, "*");
});
</script>
"""

INDEX = """<!DOCTYPE html><meta charset="utf-8"><pre id="judged">{}</pre>
<script>
const judged = {};
addEventListener("message", event => {
  judged[event.data.page] = event.data;
  document.getElementById("judged").textContent = JSON.stringify(judged);
});
</script>
"""


def bodies(message):
    """The HTML bodies of a message, each with the parts beside it. Embedded messages are messages of their own."""
    related = {}
    htmls = []
    todo = [message]
    while todo:
        part = todo.pop(0)
        if part.get_content_type() == "message/rfc822":
            continue
        if part.is_multipart():
            todo.extend(part.iter_parts())
            continue
        if part["content-id"]:
            related["cid:" + str(part["content-id"]).strip().strip("<>")] = part
        if part["content-location"]:
            related[str(part["content-location"]).strip()] = part
        if part.get_content_type() == "text/html" and not part.is_attachment():
            htmls.append(part.get_content())
    return htmls, related


def page_of(html, related):
    """The page, how many images it has to show, and references that lead nowhere."""
    unresolved = []
    images = 0

    def source(match):
        nonlocal images
        reference = urllib.parse.unquote(match[3])
        part = related.get(reference) or related.get(match[3])
        if part is None:
            if reference.lower().startswith("cid:"):
                unresolved.append(reference)
            return match[0]
        if part.get_content_type() not in SHOWN:
            return match[0]
        images += 1
        data = base64.b64encode(part.get_payload(decode=True)).decode()
        return f"{match[1]}\"data:{part.get_content_type()};base64,{data}\""

    page = re.sub(r"(<img\b[^>]*?\bsrc\s*=\s*)([\"']?)([^\"'>\s]+)\2", source, html, flags=re.I | re.S)
    return page, images, unresolved


def main():
    directory = sys.argv[1]
    os.mkdir(directory)
    made = {}
    frames = []
    html_bodies = 0
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            message = email.message_from_binary_file(file, policy=email.policy.default)
        htmls, related = bodies(message)
        for html in htmls:
            html_bodies += 1
            page, images, unresolved = page_of(html, related)
            if not images and not unresolved:
                continue
            name = f"{len(made)}.html"
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write("\ufeff" + page + REPORT.replace("NAME", name))
            made[name] = {"file": path, "images": images, "unresolved": unresolved}
            frames.append(f'<iframe src="{name}"></iframe>')
    with open(os.path.join(directory, "index.html"), "w", encoding="utf-8") as file:
        file.write(INDEX + "\n".join(frames))
    print(json.dumps({"html": html_bodies, "pages": made}))


main()
