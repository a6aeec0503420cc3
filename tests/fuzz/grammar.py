"""Requests to the door, as strategies: whole ones about odd things, and ones that are broken on their way."""

import gzip
import json
import zlib
from urllib.parse import quote_plus

from hypothesis import strategies as st

from tests.panels.hearing import JSON
from tests.panels.recorded import recorded

SECRET = "fuzz-secret-of-the-panel"
FILE = f"""\
sources:
  program: {{panel: json, secret: {SECRET}, type: body.kind, subject: body.about, each: body.items}}
  marzban: {{panel: marzban, secret: {SECRET}}}
  rebecca: {{panel: rebecca, secret: {SECRET}}}
  open: {{panel: remnawave, secret: none}}
  wg: {{panel: wgportal, secret: {SECRET}}}
  orb: {{panel: orbvpn, secret: {SECRET}}}
  dash: {{panel: wgdashboard, secret: {SECRET}}}
  alerts: {{panel: alertmanager, secret: {SECRET}}}
  kuma: {{panel: uptimekuma, secret: {SECRET}}}
  cloud: {{panel: cloudevents, secret: {SECRET}}}
  posts: {{panel: discord, secret: {SECRET}}}
sinks:
  screen: {{type: console, rate: unlimited}}
routes:
  - {{match: "*", to: screen}}
"""
ADDRESSES = [
    *(
        f"/in/{name}"
        for name in ("program", "marzban", "rebecca", "open", "wg", "dash", "alerts", "kuma", "cloud", "nobody")
    ),
    f"/in/orb/{SECRET}",
    "/in/orb/wrong",
    f"/api/webhooks/posts/{SECRET}",
    f"/api/webhooks/posts/{SECRET}?wait=true&thread_id=1",
    "/api/webhooks/posts/wrong",
    "/healthz",
]
POSTS = f"/api/webhooks/posts/{SECRET}"
JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"
RECORDED = [
    one.hook.body
    for panel in ("marzban", "rebecca", "remnawave", "orbvpn", "wgportal", "alertmanager")
    for one in recorded(panel)
]

Requests = st.SearchStrategy[bytes]


def request(
    path: str, body: bytes, *, kind: str = JSON_TYPE, encoding: str = "", secret: str = SECRET, method: str = "POST"
) -> bytes:
    """A whole request, with the secret wherever a panel might put it."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bridge",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        f"x-webhook-secret: {secret}",
        f"Authorization: Bearer {secret}",
        *([f"Content-Encoding: {encoding}"] if encoding else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body


@st.composite
def json_requests(draw: st.DrawFn) -> bytes:
    """JSON of any shape, and recorded bodies in which one value is another."""
    value = draw(JSON)
    if draw(st.booleans()):
        whole = json.loads(draw(st.sampled_from(RECORDED)))
        value = _with_one_other(draw, whole, value)
    return request(draw(st.sampled_from(ADDRESSES)), json.dumps(value).encode())


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Forms to the Discord endpoint, and to a panel that reads them."""
    fields = draw(st.lists(st.tuples(_names() | st.text(), st.text() | JSON.map(json.dumps)), max_size=8))
    body = "&".join(f"{quote_plus(n, errors='replace')}={quote_plus(v, errors='replace')}" for n, v in fields).encode()
    return request(
        draw(st.sampled_from([POSTS, "/in/dash", "/in/kuma", "/in/program"])), _broken(draw, body), kind=FORM_TYPE
    )


@st.composite
def multiparts(draw: st.DrawFn) -> bytes:
    """Multipart forms to the Discord endpoint, with headers and borders that may be broken."""
    boundary = draw(st.sampled_from(["x", "----b", "a b", "", "é", "x" * 200]))
    pieces = [draw(st.sampled_from([b"", b"preamble\r\n", b"p" * 2000]))]
    for name, content in draw(st.lists(st.tuples(_names() | st.text(), st.binary() | JSON.map(_dumped)), max_size=5)):
        more = draw(st.sampled_from(['; filename="a.png"', "", "; filename*=UTF-8''%e9", '; filename="']))
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        pieces += [head.encode("utf-8", "replace"), content, b"\r\n"]
    pieces.append(draw(st.sampled_from([f"--{boundary}--\r\n", f"--{boundary}", "--", ""])).encode())
    return request(POSTS, _broken(draw, b"".join(pieces)), kind=f"multipart/form-data; boundary={boundary}")


@st.composite
def packed(draw: st.DrawFn) -> bytes:
    """Bodies packed as they say, or not, or half."""
    body = draw(st.sampled_from(RECORDED) | st.binary() | st.just(b"[" + b" " * 2**21 + b"]"))
    pack = draw(
        st.sampled_from([gzip.compress, zlib.compress, lambda body: body, lambda body: gzip.compress(body) * 2])
    )
    encoding = draw(st.sampled_from(["gzip", "deflate", "br", "identity", "gzip, gzip", "\x7f"]))
    return request(draw(st.sampled_from(ADDRESSES)), _broken(draw, pack(body)), encoding=encoding)


@st.composite
def raw(draw: st.DrawFn) -> bytes:
    """Requests in which something else stands somewhere, head included, and what is none at all."""
    whole = draw(json_requests() | forms() | multiparts() | packed())
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(min_size=1))
    for _ in range(draw(st.integers(1, 4))):
        whole = _broken(draw, whole, always=True)
    return whole or b"\r\n\r\n"


KINDS: dict[str, Requests] = {
    "JSON": json_requests(),
    "form": forms(),
    "multipart": multiparts(),
    "packed": packed(),
    "raw HTTP": raw(),
}


def _names() -> st.SearchStrategy[str]:
    return st.sampled_from(["payload_json", "content", "embeds", "username", "files[0]", "file", "thread_name"])


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def _with_one_other(draw: st.DrawFn, whole: object, other: object) -> object:
    """The value, in which one that was chosen is the other one."""
    if isinstance(whole, dict) and whole:
        key = draw(st.sampled_from(sorted(whole)))
        return whole | {key: _with_one_other(draw, whole[key], other)}
    if isinstance(whole, list) and whole:
        index = draw(st.integers(0, len(whole) - 1))
        return [*whole[:index], _with_one_other(draw, whole[index], other), *whole[index + 1 :]]
    return other


def _broken(draw: st.DrawFn, whole: bytes, *, always: bool = False) -> bytes:
    """Some bytes of it away, others in their place."""
    if not always and draw(st.integers(0, 3)):
        return whole
    start = draw(st.integers(0, len(whole)))
    end = min(len(whole), start + draw(st.integers(0, 20)))
    other = draw(
        st.binary(max_size=20) | st.sampled_from([b"\r\n", b"\0", b"\r\n\r\n", b"Transfer-Encoding: chunked\r\n"])
    )
    return whole[:start] + other + whole[end:]
