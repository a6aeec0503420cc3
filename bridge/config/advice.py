"""What each sink says of its own settings, and what none can see by itself: addresses and rows of other services."""

from collections.abc import Iterable, Mapping

from pydantic import SecretStr
from yarl import URL

from bridge.config.document import Document, KeyPath
from bridge.sinks import CONFIGS, SinkSettings
from bridge.sinks.settings import Advice, ChatConfig, is_at
from bridge.value import replace


def check_advice(document: Document, sinks: Mapping[str, tuple[KeyPath, SinkSettings]]) -> None:
    """Report what keeps a sink from being told anything, and warn of what may; `sinks` have their paths with them.

    Of a sink that is disabled nothing is a mistake: it may wait for its address.
    """
    for path, sink in sinks.values():
        swapped = _swapped(sink)
        for one in (swapped,) if swapped else sink.advise():
            _tell(document, path, one if sink.enabled else replace(one, fatal=False))
    for index, _ in enumerate(document.entries("routes")):
        _check_update(document, ("routes", index), sinks)


def _tell(document: Document, path: KeyPath, advice: Advice) -> None:
    """At its setting; a webhook's sink has its address under `endpoint`, and all else somewhere inside."""
    if path[0] == "webhooks":
        setting: KeyPath = (*path, "endpoint") if advice.setting == "url" else path
    else:
        setting = (*path, advice.setting)
    tell = document.report if advice.fatal else document.warn
    tell(setting, advice.text)


def _swapped(sink: SinkSettings) -> Advice | None:
    """That the address is another service's, where that cannot be meant.

    Programs take each other's addresses, for they take any JSON; a chat takes nothing but its own.
    """
    secret = getattr(sink, "url", None)
    if not isinstance(secret, SecretStr) or is_at(url := URL(secret.get_secret_value()), sink.hosts):
        return None
    owner = next((one for one in CONFIGS if is_at(url, one.hosts)), None)
    if owner is None or sink.any_address:
        return None
    is_chat = issubclass(owner, ChatConfig)
    if not sink.hosts and not is_chat:
        return None
    name = owner.model_fields["type"].default
    text = (
        f"is an address of {name}, and this sink speaks as {sink.type}: make it type: {name}, or give another address"
    )
    return Advice("url", text, fatal=bool(sink.hosts) and (is_chat or isinstance(sink, ChatConfig)))


def _check_update(document: Document, row: KeyPath, sinks: Mapping[str, tuple[KeyPath, SinkSettings]]) -> None:
    """Warn of sinks that tell every event anew, whatever their row says."""
    how = document.value((*row, "update"))
    if how not in ("subject", "thread"):
        return
    for name in _named(document, row):
        if name in sinks and (why := sinks[name][1].cannot_update(how)):
            document.warn((*row, "update"), f'"{name}" tells every event anew: {why}')


def _named(document: Document, row: KeyPath) -> Iterable[str]:
    return dict.fromkeys(name for _, name in document.texts((*row, "to")))
