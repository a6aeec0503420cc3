"""The file `.env` beside the file: what its variables stand for where the environment does not say it."""

import os
from collections.abc import Mapping
from pathlib import Path

NAME = ".env"


def with_dotenv(folder: Path, env: Mapping[str, str]) -> tuple[Mapping[str, str], tuple[Path, ...]]:
    """The environment with what a `.env` in the folder adds, and that file if it can be read.

    The environment comes first, as with every program that reads one. Nothing in a value is replaced: `$` is a dollar.
    """
    file = folder / NAME
    if not file.is_file() or not os.access(file, os.R_OK):  # another's, as a panel's: so are the variables
        return env, ()
    from dotenv import dotenv_values  # only who has one pays

    values = dotenv_values(file, interpolate=False, encoding="utf-8")
    return {**{name: value for name, value in values.items() if value is not None}, **env}, (file,)
