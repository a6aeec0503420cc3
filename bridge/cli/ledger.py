"""What the commands over the store share: the file's settings, and the ledger of a store that is there."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.console import config_path
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger


def load_settings(config: Path | None) -> "Config":
    from bridge.config.load import load

    return load(config_path(config)).config


def existing_ledger(settings: "Config") -> "AbstractContextManager[Ledger]":
    """The ledger of a store that is there: looking something up makes no file."""
    from bridge.store import open_ledger
    from bridge.store_url import sqlite_file

    if settings.store.startswith("sqlite:"):
        file = sqlite_file(settings.store)
        if not file.exists():
            raise BridgeError(
                f"store: there is none at {file.absolute()} yet: the first `panelbridge run` makes it; "
                "is this the folder where the bridge runs?"
            )
    return open_ledger(settings.store_url())


def operator() -> str:
    """Who types the command, as others are told."""
    import getpass

    try:
        return f"{getpass.getuser()} (command)"
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "command"


def audit(ledger: "Ledger", action: str, **detail: object) -> None:
    """Remember that whoever types the command did this."""
    from datetime import UTC, datetime

    from bridge.admin.audit import remember

    remember(ledger, action, detail, who=operator(), now=datetime.now(UTC))
