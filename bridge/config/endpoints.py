"""Where each panel posts to, and the lines to paste into its settings. Secrets are named, and not shown."""

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from bridge.config.model import Config
from bridge.config.warnings import in_path, is_demo
from bridge.listening import ANY_ADDRESS
from bridge.panels.base import PolledConfig, SourceConfig
from bridge.value import Value


class SourceEndpoint(Value):
    """A source as its panel sees it; of one that is asked `url` says where, and there is nothing to paste."""

    name: str
    panel: str
    url: str
    paste: tuple[str, ...]


def endpoints(config: Config, address: str | None = None) -> Iterator[SourceEndpoint]:
    """Every source; `address` is where the port is really open, if it is."""
    base = config.public_url or local_url(address or config.listen)
    for name, settings in config.sources.items():
        if isinstance(settings, PolledConfig):
            yield SourceEndpoint(name, settings.panel, _asked(settings), ())
            continue
        panel = settings.open()
        secret = secret_placeholder(name, settings)
        url = base + panel.path.format(source=name, secret=path_placeholder(name, settings) or "none")
        lines = (line.format(url=url, secret=secret) for line in panel.paste if secret or "{secret}" not in line)
        yield SourceEndpoint(name, settings.panel, url, tuple(lines))


def _asked(settings: PolledConfig) -> str:
    """Where a panel is asked, and how often. The path of its address may be a secret."""
    return f"asked at {urlsplit(settings.address.get_secret_value()).hostname} every {settings.interval:g} s"


def secret_placeholder(name: str, settings: SourceConfig) -> str:
    """What stands for the source's secret: its name, or itself where it is the example's; nothing where it has none."""
    if not settings.secret:
        return ""
    secret = settings.secret[0].get_secret_value()
    return secret if is_demo(secret) else f"<secret of {name}>"


def path_placeholder(name: str, settings: SourceConfig) -> str:
    """The same in an address, where some secrets stand percent-encoded."""
    placeholder = secret_placeholder(name, settings)
    if is_demo(placeholder):
        return in_path(placeholder)
    encoded = any(in_path(one) != one for one in map(SecretStr.get_secret_value, settings.secret[:1]))
    return f"<secret of {name}, percent-encoded>" if encoded else placeholder


def local_url(listen: str) -> str:
    """An address on this machine for what is listened to."""
    host, _, port = listen.rpartition(":")
    host = "127.0.0.1" if host in ANY_ADDRESS else host
    with suppress(ValueError):
        host = "127.0.0.1" if ip_address(host) == IPv4Address(0) else host
    return f"http://{host}:{port}"
