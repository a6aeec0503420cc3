"""The page behind the link that stops mail: a sentence and a button, in every language.

It has no script, loads nothing, and says nothing of whose mailbox it is.
"""

from base64 import b64encode
from enum import Enum
from hashlib import sha256
from html import escape

from bridge.messages.catalog import LOCALES, RIGHT_TO_LEFT, catalog
from bridge.vocabulary.types import N_


class StopStep(Enum):
    """Where somebody is: the sentence, the button, and what the button asks for."""

    ASKED = N_("Do you want no more mail from us?"), N_("No more mail"), "?"
    STOPPED = N_("You will get no more mail from us."), N_("Send me mail again"), "?again=1"
    AGAIN = N_("You will get mail from us again."), N_("No more mail"), "?"


_SHEET = (
    ":root{color-scheme:light dark;font:17px/1.6 system-ui,sans-serif}"
    "body{max-width:26rem;margin:3rem auto;padding:0 1rem}"
    "section{margin:0 0 1.5rem}p{margin:0 0 .5rem}button{font:inherit;padding:.4rem 1rem}"
)
CSP = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_SHEET.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def stop_page(step: StopStep) -> str:
    """The page at a step."""
    sentence, button, action = step.value
    parts = "".join(_in(locale, sentence, button) for locale in LOCALES)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(sentence)}</title>\n<style>{_SHEET}</style>\n</head>\n"
        f'<body>\n<form method="post" action="{action}">\n{parts}</form>\n</body>\n</html>\n'
    )


def _in(locale: str, sentence: str, button: str) -> str:
    gettext, side = catalog(locale).gettext, "rtl" if locale in RIGHT_TO_LEFT else "ltr"
    said, pressed = escape(gettext(sentence)), escape(gettext(button))
    return f'<section lang="{locale}" dir="{side}">\n<p>{said}</p>\n<button>{pressed}</button>\n</section>\n'
