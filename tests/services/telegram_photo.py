"""Telegram's sendPhoto with a picture in the request itself, as strict as the real one.

Source   tests/contracts/telegram.sendPhoto.schema.json; core.telegram.org/bots/api#sendphoto, #sending-files
"""

from collections.abc import Iterator
from typing import Any

from tests.services.forms import Form, NoForm
from tests.services.service import breaches, contract, parsed

CAPTION = 1024  # code points without markup
MOST = 10 * 2**20  # bytes of a photo
#: Of a form nested values are JSON, and what is neither that nor a number is a text.
NESTED = ("reply_markup", "reply_parameters")
TRUTHS = ("disable_notification", "protect_content", "show_caption_above_media", "has_spoiler")
NUMBERS = ("message_thread_id",)


def photo_message(form: Form) -> dict[str, Any]:
    """The parameters of a form, as the server reads them; raise NoForm where it cannot."""
    message: dict[str, Any] = {}
    for name, text in form.texts.items():
        if name in NESTED:
            message[name] = parsed(text.encode())
        elif name in TRUTHS:
            message[name] = text in ("true", "yes", "1")
        elif name in NUMBERS or (name == "chat_id" and text.lstrip("-").isdigit()):
            message[name] = int(text)
        else:
            message[name] = text
    if set(form.files) != {"photo"}:
        raise NoForm("there is no photo in the request")
    return message | {"photo": f"attach://{form.files['photo'].filename}"}


def photo_faults(message: dict[str, Any], form: Form) -> Iterator[str]:
    """What Telegram has against a photo, but for its caption's markup."""
    known = contract("telegram.sendPhoto")
    yield from breaches(known, message)
    yield from (f"{name} is no parameter of a photo" for name in message if name not in known.schema["properties"])
    file = form.files["photo"]
    if len(file.content) > MOST:
        yield "file is too big"
    width, height = file.picture().size
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        yield "PHOTO_INVALID_DIMENSIONS"
