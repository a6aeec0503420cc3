"""A form as JSON: fields are counted before they are read, and only those that a message has are kept.

A file's bytes are read and let go; what is kept of it is its name.
"""

import json
from collections.abc import AsyncIterable
from dataclasses import dataclass, field

from multipart import MultipartSegment, PushMultipartParser, parse_options_header

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import form_fields
from bridge.ingress.limits import Limits

PAYLOAD = "payload_json"
OTHERS_PAYLOAD = "payload"  # as Slack's and GitHub's forms call it
TEXT_FIELDS = ("content", "username", "avatar_url", "tts", "thread_name")
KEPT = frozenset((PAYLOAD, *TEXT_FIELDS))


def form_json(body: bytes, limits: Limits, *, payload: str = PAYLOAD) -> bytes:
    """The message of a URL-encoded form, the JSON of its field `payload` where it has that."""
    try:
        fields = form_fields(body, most=limits.fields, kept={*KEPT, payload})
    except BadPayload as error:
        raise BadPayload(error.reason, PAYLOAD) from None
    return fields[payload].encode() if payload in fields else _fields_json(fields)


async def multipart_json(
    content_type: str, pieces: AsyncIterable[bytes], limits: Limits
) -> tuple[bytes, list[JsonObject]]:
    """The message of a form with files, and what the files are called."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    form = _FormParts(limits)
    try:
        parser = PushMultipartParser(
            boundary, max_header_size=limits.part_headers, max_segment_count=limits.parts, max_header_count=32
        )
        async for piece in _after_preamble(pieces, f"--{boundary}".encode(), limits.preamble):
            for event in parser.parse(piece):
                form.take(event)
        parser.close()
    except ValueError as error:
        raise _unreadable(str(error)) from None
    return _fields_json({name: value.decode("utf-8", "replace") for name, value in form.fields.items()}), form.files


@dataclass(slots=True)
class _FormParts:
    """The parts as they come: `value` is where the bytes of the present one go, None where they are let go."""

    limits: Limits
    fields: dict[str, bytearray] = field(default_factory=dict)
    files: list[JsonObject] = field(default_factory=list)
    value: bytearray | None = None

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self.value = self._begun(event)
        elif event is not None and self.value is not None:
            self.value += event

    def _begun(self, part: MultipartSegment) -> bytearray | None:
        if sum(len(name) + len(value) + 4 for name, value in part.headerlist) > self.limits.part_headers:
            raise ValueError(f"a part has more than {self.limits.part_headers} bytes of headers")
        if (part.content_type or "").startswith("multipart/"):
            raise ValueError("a form inside the form")
        if part.filename is not None and part.name != PAYLOAD:  # a Blob always has one, and so has curl's `=@`
            self.files.append({"filename": part.filename, "content_type": part.header("Content-Type", "")})
            return None
        return self.fields.setdefault(part.name, bytearray()) if part.name in KEPT else None


async def _after_preamble(pieces: AsyncIterable[bytes], delimiter: bytes, limit: int) -> AsyncIterable[bytes]:
    """The pieces, the first of them with the first boundary in it; raise ValueError where that does not come."""
    head = b""
    found = False
    async for piece in pieces:
        if not found:
            head += piece
            at = head.find(delimiter)
            if (at if at >= 0 else len(head) - len(delimiter)) > limit:
                raise ValueError(f"no part begins within {limit} bytes")
            if at < 0:
                continue
            found, piece = True, head
        yield piece
    if not found and head:
        yield head


def _fields_json(fields: dict[str, str]) -> bytes:
    if PAYLOAD in fields:
        return fields[PAYLOAD].encode()
    return json.dumps({name: fields[name] for name in TEXT_FIELDS if name in fields}).encode()


def _unreadable(reason: str) -> BadPayload:
    return BadPayload(f"the form cannot be read: {reason}", PAYLOAD)
