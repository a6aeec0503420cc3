"""What of a file a message may repeat: names, and nothing else, for anything else may be a secret.

Why keys are looked at as values are: `{url:https://x/token}`, with no space behind the colon, has one key and no value.
"""

import re

HIDDEN = "…"

#: What things are called, globs and times of the day among them.
_NAME = re.compile(r"(?:[\w.*?!\[\] -]|(?<=\b\d\d):(?=\d\d\b))*")
#: What a machine has made: long, of digits and letters, or a UUID.
_RANDOM = re.compile(r"(?=[^\W\d_]*\d)(?=\d*[^\W\d_])[^\W_]{20}|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-")


def may_be_repeated(text: str) -> bool:
    """Whether it is surely a name."""
    return _NAME.fullmatch(text) is not None and _RANDOM.search(text) is None


def redacted(text: object) -> str:
    """The text as a message may repeat it: … where it is no name."""
    return str(text) if may_be_repeated(str(text)) else HIDDEN


def redacted_path(text: object) -> str:
    """The same of a file or a folder."""
    return str(text) if all(may_be_repeated(one) for one in re.split("[/\0]", str(text))) else HIDDEN
