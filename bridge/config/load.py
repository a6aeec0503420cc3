"""From the file to a Config, or to every mistake in it at once."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.config.check import check
from bridge.config.document import KeyPath
from bridge.config.dotenv import dotenv_of, with_dotenv
from bridge.config.errors import report_errors
from bridge.config.model import Config
from bridge.config.yaml import read_document
from bridge.errors import ConfigError, Mistake, in_order
from bridge.people.brand import templates_of
from bridge.value import Value, field

#: The keys under which the file names others, beside those that end in `_file`.
_NAMING = ("templates", "file", "ca")


class Loaded(Value):
    """The settings, and all that they were read from: the file, `.env`, each `*_file` and folders of templates.

    `warnings` are what may be meant and may not, in the order of the file; they stop nothing. `rows` are those of the
    table, in its order: the keys that lead to each, and its line.
    """

    config: Config
    files: tuple[Path, ...]
    warnings: tuple[Mistake, ...] = ()
    on_loopback: bool = False
    rows: Mapping[KeyPath, int] = field(default_factory=dict)

    @property
    def watched(self) -> tuple[Path, ...]:
        """The files whose change may change it: those that it was read from, and a `.env` that is not there yet."""
        return tuple(dict.fromkeys((*self.files, dotenv_of(self.files[0].absolute().parent))))


def load(path: Path, env: Mapping[str, str] = os.environ, *, on_loopback: bool = False) -> Loaded:
    """Read the file; raise ConfigError with all that is wrong with it. `on_loopback`: whatever host it listens on."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [Mistake(1, 1, f"cannot be read: {error.strerror}")], watched=(path,)) from None
    folder = path.absolute().parent
    try:
        variables = with_dotenv(folder, env)
    except ConfigError as error:
        raise ConfigError(str(path), error.mistakes, watched=(path, dotenv_of(folder))) from None
    document = read_document(raw, folder, variables.values)
    if document.mistakes and not document.data:  # nothing could be read: what is missing is known to nobody
        raise ConfigError(str(path), document.mistakes, watched=(path, dotenv_of(folder)))
    document.warnings += variables.warnings
    config = None
    try:
        config = Config.model_validate(document.data, context={"folder": folder})
        config = config.on_loopback() if on_loopback else config
    except ValidationError as error:
        report_errors(error, document, Config)
    check(document, folder, config)
    if document.mistakes or config is None:
        watched = (path, dotenv_of(folder), *document.files, *_named_files(document.data, folder))
        raise ConfigError(str(path), document.mistakes, document.warnings, watched)
    directory = config.directory.file if config.directory is not None else None
    folders = (*config.template_folders(), *templates_of(config.brands()))
    files = (path, *variables.files, *document.files, *folders, *filter(None, [directory]))
    paths: list[KeyPath] = [("routes", index) for index in range(len(config.routes))]
    paths += [("webhooks", index) for index in range(len(config.webhooks))]
    rows = {path: document.position(path)[0] for path in paths}
    return Loaded(config, files, tuple(in_order(document.warnings)), on_loopback, rows)


def _named_files(value: Any, folder: Path, key: str | None = None) -> Iterator[Path]:
    """The files and folders that are named in what the file says, whether or not they are there."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _named_files(one, folder, name)
    elif isinstance(value, list):
        for one in value:
            yield from _named_files(one, folder)
    elif isinstance(value, str) and key in _NAMING:
        yield folder / value
