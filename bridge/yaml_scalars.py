"""What stands in a YAML file without quotes: YAML's own readings of it surprise who edits one."""

import re
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where it is there
TEXT_TAG = "tag:yaml.org,2002:str"


def plain_scalar(text: str) -> Any:
    """What a text without quotes is: nothing, true, false, a number that reads back the same, or the word itself.

    Words are words: `no` is one, and so is `0123`.
    """
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text) and str(float(text)) == text:
        return float(text)
    return text
