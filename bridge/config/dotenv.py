"""The file `.env` beside the file: what its variables stand for where the environment does not say it."""

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from bridge.errors import ConfigError, Mistake
from bridge.value import Value

NAME = ".env"
UNREAD = "says nothing: a line should be NAME=value"


def dotenv_of(folder: Path) -> Path:
    """Where it is, if there is one."""
    return folder / NAME


class EnvironmentVariables(Value):
    """What variables stand for, the files that say so, and what in these says nothing."""

    values: Mapping[str, str]
    files: tuple[Path, ...] = ()
    warnings: tuple[Mistake, ...] = ()


def with_dotenv(folder: Path, env: Mapping[str, str]) -> EnvironmentVariables:
    """The environment with what a `.env` in the folder adds, if it can be read. Raise ConfigError where it is no text.

    The environment comes first, as with every program that reads one. Nothing in a value is replaced: `$` is a dollar.
    """
    file = dotenv_of(folder)
    if not file.is_file() or not os.access(file, os.R_OK):  # another's, as a panel's: so are the variables
        return EnvironmentVariables(env)
    from dotenv.parser import parse_stream  # only who has one pays

    lines = list(parse_stream(StringIO(_text(file), newline=None)))
    said = {one.key: one.value for one in lines if one.key is not None and one.value is not None}
    unread = (Mistake(one.original.line, 1, UNREAD, str(file)) for one in lines if one.error)
    return EnvironmentVariables({**said, **env}, (file,), tuple(unread))


def _text(file: Path) -> str:
    """What it says; raise ConfigError where that cannot be read: whatever it stands for would be missing."""
    try:
        raw = file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(str(file), [Mistake(1, 1, f"cannot be read: {error.strerror}", str(file))]) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(str(file), [Mistake(line, 1, "the file is not UTF-8 text", str(file))]) from None
