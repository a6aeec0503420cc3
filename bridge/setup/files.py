"""Putting files where they belong: nothing is replaced that is there already, and nobody else reads a secret."""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from bridge.errors import BridgeError
from bridge.value import Value

PRIVATE, SHOWN = 0o600, 0o644


class SetupPaths(Value):
    """Where each is written: the file, its secrets, and what Compose reads, if anything does."""

    config: Path
    dotenv: Path
    compose: Path | None = None

    def all(self) -> list[Path]:
        return [one for one in (self.config, self.dotenv, self.compose) if one is not None]


def places(out: Path | None, *, compose: bool) -> SetupPaths:
    """Beside each other; with Compose the file has a folder of its own, which the container sees."""
    if not compose:
        config = out or Path("config.yaml")
        return SetupPaths(config, config.parent / ".env")
    folder = out or Path()
    return SetupPaths(folder / "panelbridge" / "config.yaml", folder / ".env", folder / "compose.yaml")


def refuse_to_replace(wanted: SetupPaths) -> None:
    """Raise BridgeError where one of them is there already."""
    there = [str(one) for one in wanted.all() if one.exists()]
    if there:
        exist = "exists" if len(there) == 1 else "exist"
        raise BridgeError(
            f"init: {' and '.join(there)} {exist}: --out names another place, --force replaces what it must"
        )


def write(texts: Mapping[Path, tuple[str, int]]) -> None:
    """Write each whole or not at all; `texts`: file → its text and mode. Raise BridgeError where that cannot be."""
    for file, (text, mode) in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=".", delete=False) as made:
                made.write(text)  # such a file is its owner's alone
            Path(made.name).chmod(mode)
            Path(made.name).replace(file)
        except OSError as error:
            raise BridgeError(f"init: {file}: cannot be written: {error.strerror}") from None


def read(file: Path) -> str:
    """What stands in it, nothing where it is not there; raise BridgeError where it cannot be read."""
    try:
        return file.read_text("utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BridgeError(f"init: {file}: cannot be read: {reason}") from None


def first_line(file: Path, what: str) -> str:
    """The secret that stands in a file; raise BridgeError where there is none."""
    text = read(file).strip()
    if not text or "\n" in text or not os.access(file, os.R_OK):
        raise BridgeError(f"init: {what}: {file} should have one line with it")
    return text
