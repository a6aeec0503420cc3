"""From the file to a Config, or to every mistake in it at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from bridge.config.check import check
from bridge.config.document import KeyPath
from bridge.config.dotenv import with_dotenv
from bridge.config.errors import report_errors
from bridge.config.model import Config
from bridge.config.yaml import read_document
from bridge.errors import ConfigError, Mistake, in_order
from bridge.people.brand import templates_of
from bridge.value import Value, field


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


def load(path: Path, env: Mapping[str, str] = os.environ, *, on_loopback: bool = False) -> Loaded:
    """Read the file; raise ConfigError with all that is wrong with it. `on_loopback`: whatever host it listens on."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [Mistake(1, 1, f"cannot be read: {error.strerror}")]) from None
    folder = path.absolute().parent
    known, dotenv = with_dotenv(folder, env)
    document = read_document(raw, folder, known)
    config = None
    try:
        config = Config.model_validate(document.data, context={"folder": folder})
        config = config.on_loopback() if on_loopback else config
    except ValidationError as error:
        report_errors(error, document, Config)
    check(document, folder, config)
    if document.mistakes or config is None:
        raise ConfigError(str(path), document.mistakes, document.warnings)
    directory = config.directory.file if config.directory is not None else None
    folders = (*config.template_folders(), *templates_of(config.brands()))
    files = (path, *dotenv, *document.files, *folders, *filter(None, [directory]))
    paths: list[KeyPath] = [("routes", index) for index in range(len(config.routes))]
    paths += [("webhooks", index) for index in range(len(config.webhooks))]
    rows = {path: document.position(path)[0] for path in paths}
    return Loaded(config, files, tuple(in_order(document.warnings)), on_loopback, rows)
