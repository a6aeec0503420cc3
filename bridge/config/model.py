"""The file people edit, as one frozen value: it gathers what every part says of its own settings."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from bridge.admin.settings import AdminSettings
from bridge.alerts.report_settings import ReportSettings
from bridge.alerts.settings import AlertSettings
from bridge.config.errors import INVALID_NAME
from bridge.config.orbvpn import OrbvpnWebhook, slug
from bridge.event import Event
from bridge.ingress.address import PRIVATE
from bridge.ingress.limits import Limits
from bridge.listening import ListenAddress, is_reachable, on_loopback
from bridge.messages.catalog import Locale
from bridge.panels import SourceSettings
from bridge.people.brand import Brand, Brands
from bridge.people.directory import DirectorySettings, overview_of
from bridge.people.link import LinkMaker
from bridge.people.proof import ProofKey
from bridge.people.recipient import Recipients
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.people.settings import PeopleSettings
from bridge.people.stop_link import StopLinks
from bridge.routing import OWN, Route
from bridge.sealing import Sealer
from bridge.settings import AddressRange, BaseUrl, Duration, Folder, OneOrMany, Settings, TimeZone
from bridge.sinks import SinkSettings
from bridge.sinks.ears import Ears
from bridge.sinks.inbox import Inbox
from bridge.store.keep import Keep
from bridge.store_url import HOW_TO_WRITE, has_password, has_port, has_user, is_database, is_misread, with_password
from bridge.telemetry import Log
from bridge.trace_export import Traces

_SQLITE = "sqlite:///"
KEY_SIGNS = 32


#: What a source or a sink can be called: it stands in addresses, in the ledger and in logs.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def _valid_name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(INVALID_NAME)
    return value


Name = Annotated[str, AfterValidator(_valid_name)]


class Config(Settings):
    """Everything the bridge is told."""

    listen: ListenAddress = Field(
        "0.0.0.0:8080", description="where panels are listened to, host:port; :port for all, of IPv4 and IPv6"
    )
    public_url: BaseUrl | None = Field(
        None, description="what panels, and links in mail, reach the bridge by, as https://bridge.example.com"
    )
    trusted_proxies: OneOrMany[AddressRange] = Field(
        PRIVATE,
        description="whose X-Forwarded-Proto and X-Forwarded-Host are believed; this machine's, private networks'",
    )
    store: str = Field("sqlite:///panelbridge.db", description="an SQLite file, or postgresql+psycopg://… for replicas")
    store_password: SecretStr | None = Field(None, description="the database's password, where store has none")
    secret_key: SecretStr | None = Field(
        None,
        description="what seals originals for sinks that unmask, proves links that stop mail, and recognises what"
        " customers show; 32 signs or more",
    )
    keep: Keep = Field(Keep(), description="how long settled deliveries can be looked up: 30d, or a time by audience")
    shutdown: Duration = Field(10.0, description="how long the end may take; what is being delivered is waited for")
    timezone: TimeZone = Field("UTC", description="the zone of times in messages, commands and the log, as Asia/Tehran")
    locale: Locale = Field("en", description="the language of messages")
    templates: Folder | None = Field(None, description="a folder with templates of your own, beside this file")
    limits: Limits = Field(Limits(), description="what a request may take")
    log: Log = Field(Log(), description="how the bridge speaks of itself")
    traces: Traces | None = Field(None, description="where spans go, for who looks at traces; needs panelbridge[otel]")
    admin: AdminSettings | None = Field(None, description="where you look at the bridge, and who may")
    alerts: AlertSettings | None = Field(None, description="who is told what goes wrong with the bridge itself")
    reports: dict[Name, ReportSettings] = Field(
        {}, description="what happened in a day, a week or a month, told when it is over"
    )
    directory: DirectorySettings | None = Field(None, description="where owners, users and nodes are reached")
    people: PeopleSettings | None = Field(
        None, description="customers: the bot they write to, and what they are told until they say otherwise"
    )
    sources: dict[Name, SourceSettings] = Field({}, description="the panels that events come from")
    sinks: dict[Name, SinkSettings] = Field({}, description="where messages go to")
    routes: tuple[Route, ...] = Field((), description="which events go where; every row that matches applies, in order")
    webhooks: tuple[OrbvpnWebhook, ...] = Field((), description="OrbVPN's own configuration objects, as they are")

    def store_url(self) -> str:
        """The store's address with its password, which nobody may see."""
        if self.store_password is None or not is_database(self.store):
            return self.store
        return with_password(self.store, self.store_password.get_secret_value())

    def unmasked_paths(self) -> Mapping[str, Sequence[str]]:
        """The sinks that are given originals, and of what."""
        sinks = {name: getattr(one, "unmask", ()) for name, one in self.enabled_sinks().items()}
        return {name: paths for name, paths in sinks.items() if paths}

    def all_sinks(self) -> Mapping[str, SinkSettings]:
        """The sinks of the file, and those that the webhooks describe."""
        return {**self.sinks, **{name: webhook.sink() for name, webhook in self.named_webhooks()}}

    def enabled_sinks(self) -> Mapping[str, SinkSettings]:
        """Those of them that anything is sent to."""
        return {name: one for name, one in self.all_sinks().items() if one.enabled}

    def realms(self) -> Mapping[str, str]:
        """Of the sources: whose users, owners and nodes they speak of."""
        return {name: one.realm or name for name, one in self.sources.items()}

    def directory_records(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What the directory says, by the keys of recipients."""
        return iter(()) if self.directory is None else self.directory.records(next(iter(self.realms().values()), ""))

    def brands(self) -> Mapping[str, Brand]:
        """How the customers of some owners are spoken to, by what the directory calls it."""
        return {} if self.people is None else self.people.brands

    def recipients(self, owners: Mapping[str, str] | None = None) -> Recipients:
        """Who is meant by what a sink is told, and who speaks. `owners`: whose brand is which; the directory is read
        for it where that is not given.
        """
        if owners is None:
            owners = overview_of(self.directory_records()).brands if self.brands() else {}
        found = {name: one.addressing() for name, one in self.all_sinks().items()}
        audiences = {name: one.audience for name, one in found.items() if one is not None and one.audience is not None}
        return Recipients(audiences, self.realms(), Brands(self.brands(), owners))

    def rules(self) -> CustomerRules:
        """What holds for customers as long as they have not said otherwise."""
        return NO_RULES if self.people is None else self.people.rules()

    def sealer(self) -> Sealer | None:
        """What seals and opens originals, where there is a key for it."""
        return Sealer(self.secret_key.get_secret_value()) if self.secret_key else None

    def proof_key(self) -> ProofKey | None:
        """What recognises what customers show, where there is a key for it."""
        return ProofKey(self.secret_key.get_secret_value()) if self.secret_key else None

    def stop_links(self) -> StopLinks | None:
        """What makes the links that stop letters to customers; None where the file has not what that needs."""
        if self.secret_key is None or self.public_url is None or not self.public_url.startswith("https://"):
            return None
        return StopLinks(self.public_url, self.secret_key.get_secret_value())

    def ears(self) -> Ears | None:
        """How what customers write is heard; None where nobody listens."""
        return None if self.people is None else self._ears(self.people.bot or "")

    def brands_ears(self) -> Mapping[str, Ears]:
        """How what customers write to the bots is heard that brands have in place of the file's; empty where nobody
        listens to that one.
        """
        bot = self.people.bot if self.people is not None and self.ears() is not None else None
        own = {name: one.sinks[bot] for name, one in self.brands().items() if bot is not None and bot in one.sinks}
        return {name: ears for name, sink in own.items() if (ears := self._ears(sink)) is not None}

    def _ears(self, name: str) -> Ears | None:
        sink = self.all_sinks().get(name)
        return sink.ears() if sink is not None and sink.enabled else None

    def inboxes(self, sealer: Sealer | None) -> Sequence[Inbox]:
        """Where letters come back to, and are looked for."""
        found = (one.inbox(sealer) for one in self.enabled_sinks().values())
        return [one for one in found if one is not None]

    def takes_proofs(self) -> bool:
        """Whether customers may show the bot what they have; that needs a `secret_key` too."""
        return self.ears() is not None and self.people is not None and self.people.proofs is not False

    def link_maker(self, whose: Callable[[Event], str | None] = lambda event: None) -> LinkMaker | None:
        """What makes links while messages are rendered; None where nobody listens. `whose`: the brand whose customer an
        event is about.
        """
        ears, people, realms = self.ears(), self.people, self.realms()
        if ears is None or people is None:
            return None
        holds, others = people.link_expires, self.brands_ears()
        brands = {name: LinkMaker(one.sender, one.deep_link, realms, holds) for name, one in others.items()}
        return LinkMaker(ears.sender, ears.deep_link, realms, holds, brands=brands, whose=whose)

    def table(self) -> Sequence[tuple[str, Route]]:
        """The rows with their names: the routes in order, then one for each webhook."""
        rows = [(f"route {number}", route) for number, route in enumerate(self.routes, start=1)]
        return rows + [(f"webhook {webhook.name}", webhook.route(name)) for name, webhook in self.named_webhooks()]

    def named_webhooks(self) -> Sequence[tuple[str, OrbvpnWebhook]]:
        """The webhooks with their sinks' names."""
        return [(slug(one.name, one.id), one) for one in self.webhooks]

    def wants_alerts(self) -> bool:
        """Whether anyone is told what goes wrong with the bridge itself: `alerts`, or a row of the table."""
        return self.alerts is not None or any(glob.startswith(OWN) for one in self.routes for glob in one.match)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def template_folders(self) -> tuple[Path, ...]:
        """The operator's folder, if there is one."""
        return (self.templates,) if self.templates else ()

    def on_loopback(self) -> "Config":
        """The same, for this machine alone."""
        alone = {"listen": on_loopback(self.listen)}
        admin = {} if self.admin is None else {"admin": self.admin.on_loopback()}
        return self.model_copy(update=alone | admin)

    def is_reachable(self) -> bool:
        """Whether other machines may reach it."""
        return is_reachable(self.listen)

    def admin_side(self) -> AdminSettings:
        """What the file says of the admin side; the defaults where it says nothing."""
        return (self.admin or AdminSettings()).with_realm(next(iter(self.realms().values()), ""))

    @field_validator("store")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if is_database(value):
            if is_misread(value):
                raise ValueError(HOW_TO_WRITE)
            if not has_port(value):
                raise ValueError("should have one host and a number for its port, as in host:5432 or [::1]:5432")
            if not re.match(r"\w+(\+\w+)?://[^/]*/[^/?]+", value):
                raise ValueError("should name the database, as in postgresql+psycopg://user:password@host/panelbridge")
            return value
        file = value.removeprefix(_SQLITE)
        if file == value or not file or file.startswith(":memory:"):
            raise ValueError(
                "should name an SQLite file, as in sqlite:////var/lib/panelbridge/panelbridge.db, "
                "or a database, as in postgresql+psycopg://user:password@host/panelbridge"
            )
        if "?" in file:
            raise ValueError("should name an SQLite file alone: nothing behind a ? is read")
        return value

    @field_validator("store_password")
    @classmethod
    def _password_of_store(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        store = info.data.get("store")
        if value is None or store is None or not is_database(store):
            return value
        if not value.get_secret_value():
            raise ValueError("is empty")
        if has_password(store):
            raise ValueError("stands here beside a password in store: keep one of them")
        if not has_user(store):
            raise ValueError("needs a store with a user, as in postgresql+psycopg://user@host/panelbridge")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < KEY_SIGNS:
            raise ValueError(f"should have at least {KEY_SIGNS} signs: make one with `openssl rand -base64 32`")
        return value
