"""The `admin:` key: where the admin side listens, and who may look and act there."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema

from bridge.listening import ListenAddress, is_reachable, on_loopback
from bridge.people.owner import Owner
from bridge.settings import AddressRange, BaseUrl, Duration, OneOrMany, Settings

TOKEN_SIGNS = 16


def _tokens(value: Any) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(one, dict | list | bool) or one is None or one == "" for one in values):
        raise ValueError("should be a token, or a list of them while you change it")
    return tuple(one if isinstance(one, SecretStr) else SecretStr(str(one).strip()) for one in values)


#: One token, or several at once while one is changed.
Tokens = Annotated[
    tuple[SecretStr, ...],
    BeforeValidator(_tokens),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": ["string", "number"]},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
            ],
            "writeOnly": True,
        }
    ),
]


class OwnerSettings(Settings):
    """A page for one owner, with their own events alone."""

    example: ClassVar[str] = "token: ${SEVEN_PAGE_TOKEN}"

    token: Tokens = Field(min_length=1, description="who has it sees this owner's events, 16 signs or more")
    realm: str | None = Field(
        None, description="the sources whose owner that is; needed where there are several", min_length=1
    )


class AdminSettings(Settings):
    """The admin side: pages for people, and what programs ask. It has a port of its own."""

    example: ClassVar[str] = "listen: 127.0.0.1:8081"

    listen: ListenAddress | None = Field(
        "127.0.0.1:8081", description="where it listens, host:port; null for no admin side"
    )
    url: BaseUrl | None = Field(
        None, description="what people reach it by, if a proxy stands before it; its path is the beginning of all paths"
    )
    token: Tokens = Field((), description="who has it may look and act, 16 signs or more; several while you change it")
    read_token: Tokens = Field((), description="who has it may look, and change nothing")
    owners: dict[str, OwnerSettings] = Field(
        {}, description="owners with a page of their own, by their names in the panel"
    )
    metrics: Literal["open", "token", "off"] = Field(
        "token", description="who may read /metrics: open to all, only with a token, or off"
    )
    proxies: OneOrMany[AddressRange] = Field((), description="whose X-Forwarded-For is believed")
    session: Duration = Field(43200.0, gt=0, description="after which one signs in again; 30m without a request too")

    def owned_tokens(self) -> Iterator[tuple[Owner, SecretStr]]:
        """Whose page each token opens."""
        for name, owner in self.owners.items():
            for token in owner.token:
                yield Owner(owner.realm or "", name), token

    def with_realm(self, realm: str) -> "AdminSettings":
        """The same, with whose owners they are where it does not say so."""
        owners = {
            name: one if one.realm else one.model_copy(update={"realm": realm}) for name, one in self.owners.items()
        }
        return self.model_copy(update={"owners": owners}) if owners else self

    def is_open(self) -> bool:
        """Whether whoever reaches it may act: no token is asked for."""
        return not self.token

    def is_reachable(self) -> bool:
        """Whether other machines may reach it by themselves."""
        return self.listen is not None and is_reachable(self.listen)

    def is_proxied(self) -> bool:
        """Whether the file says that a proxy brings people from elsewhere."""
        return bool(self.proxies) or (self.url is not None and is_reachable(self.authority()))

    def authority(self) -> str:
        """Host and port of `url`, the port that its scheme has where it names none; empty without one."""
        parts = urlsplit(self.url or "")
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
        return f"{host}:{parts.port or (443 if self.is_https() else 80)}" if host else ""

    def is_https(self) -> bool:
        return (self.url or "").startswith("https:")

    def prefix(self) -> str:
        """What all its paths begin with: the path of `url`."""
        return urlsplit(self.url or "").path

    def on_loopback(self) -> "AdminSettings":
        """The same, for this machine alone."""
        return self if self.listen is None else self.model_copy(update={"listen": on_loopback(self.listen)})
