"""Forms with files, multipart/form-data, read as strictly as the services do: RFC 7578.

Whatever is not so is told in words: no part without a name, none twice, files of the kind that they say they are.
"""

import io
from dataclasses import dataclass
from email.message import Message

import multipart
from aiohttp import web
from PIL import Image, UnidentifiedImageError


class NoForm(Exception):
    """What is wrong with a form."""


@dataclass(frozen=True, slots=True)
class File:
    """A part of a form that has a file's name."""

    filename: str
    content_type: str
    content: bytes

    def picture(self) -> Image.Image:
        """The picture that it is; raise NoForm where it is none, or not what it says."""
        try:
            image = Image.open(io.BytesIO(self.content))
            image.load()
        except (UnidentifiedImageError, OSError) as error:
            raise NoForm(f"{self.filename} is no picture: {error}") from None
        if self.content_type != f"image/{str(image.format).lower()}":
            raise NoForm(f"{self.filename} is {image.format}, and says {self.content_type}")
        return image


@dataclass(frozen=True, slots=True)
class Form:
    """Texts and files by their names."""

    texts: dict[str, str]
    files: dict[str, File]


def form_of(content_type: str, body: bytes) -> Form:
    """The form that a body is; raise NoForm where it is none."""
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary or len(boundary) > 70:
        raise NoForm(f"no form: {content_type}")
    if not body.endswith(f"\r\n--{boundary}--\r\n".encode()):
        raise NoForm("the form has no end")
    form = Form({}, {})
    try:
        for part in multipart.MultipartParser(io.BytesIO(body), boundary, strict=True):
            _add(form, part)
    except multipart.MultipartError as error:
        raise NoForm(f"no form: {error}") from None
    return form


def form_in(request: web.Request, body: bytes) -> Form:
    """The form of a request."""
    return form_of(request.headers.get("Content-Type", ""), body)


def _add(form: Form, part: "multipart.MultipartPart") -> None:
    if not part.name or part.name in form.texts or part.name in form.files:
        raise NoForm(f"a part without a name of its own: {part.name!r}")
    if part.filename is None:
        form.texts[part.name] = part.raw.decode()
    else:
        form.files[part.name] = File(part.filename, part.content_type, part.raw)
