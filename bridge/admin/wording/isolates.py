"""What is read on its own in a sentence, as `user.*` and its star in one from right to left."""

import re
from collections.abc import Callable

from markupsafe import Markup, escape

from bridge import bidi
from bridge.admin.language import Language

_EITHER = re.compile(f"[{bidi.FSI}{bidi.PDI}]")


def isolated(words: Language, value: str) -> str:
    """The value, with nothing in it that could end its isolate. Only a sentence from right to left needs one."""
    return bidi.isolated(_EITHER.sub("�", value)) if words.direction == "rtl" else value


def apart(sentence: str, visible: Callable[[str], object]) -> Markup:
    """The sentence as a page has it: an element for each isolate; `visible` shows what nobody can see in a text."""
    parts = [escape(visible(part)) for part in _EITHER.split(sentence)]
    return Markup("").join(Markup("<bdi>{}</bdi>").format(part) if at % 2 else part for at, part in enumerate(parts))
