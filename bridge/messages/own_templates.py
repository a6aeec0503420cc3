"""The operator's templates as they were when they were taken: whatever is written to their files later, also a half of
one, is told nobody before the next reload takes them anew.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import FunctionLoader
from jinja2.loaders import split_template_path


class OwnTemplates:
    """The files of one folder, by the names that templates have."""

    def __init__(self, folder: Path) -> None:
        self._files = {name: (_contents(file), str(file)) for name, file in _files(folder, "", ())}

    def source(self, name: str) -> tuple[str, str] | None:
        """A template's text and file; None where there was none. Raise OSError or UnicodeDecodeError where it could not
        be read.
        """
        contents, file = self._files.get("/".join(split_template_path(name)), (None, ""))
        if isinstance(contents, OSError):
            raise contents
        return None if contents is None else (contents.decode("utf-8"), file)


def loader(folders: Sequence[OwnTemplates]) -> FunctionLoader:
    """What Jinja asks for a template: the first folder that has it."""

    def found(name: str) -> tuple[str, str, None] | None:
        source = next((one for folder in folders if (one := folder.source(name)) is not None), None)
        return None if source is None else (*source, None)

    return FunctionLoader(found)


def _files(folder: Path, within: str, above: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """The files with their names; links to folders are followed, as Kubernetes lays them, but not in a circle."""
    place = os.path.realpath(folder)
    if place in above:
        return
    for file in sorted(folder.iterdir()) if os.access(folder, os.R_OK | os.X_OK) else ():
        try:
            is_folder, is_file = file.is_dir(), file.is_file()
        except OSError:  # a link to where nobody may look: that is said where it is read
            is_folder, is_file = False, True
        if is_folder:
            yield from _files(file, f"{within}{file.name}/", (*above, place))
        elif is_file:
            yield f"{within}{file.name}", file


def _contents(file: Path) -> bytes | OSError:
    try:
        return file.read_bytes()
    except OSError as error:
        return error
