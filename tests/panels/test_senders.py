"""The ready recipes of docs/senders, each a whole file: what it makes of requests of its sender."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config.load import load
from bridge.config.model import Config
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.panels.base import Hook
from bridge.value import replace
from bridge.vocabulary import TYPES, are_opposite
from tests.pages import ROOT
from tests.panels.recorded import SENDERS, recorded

FOLDER = ROOT / "docs" / "senders"
RECIPES = sorted(file.stem for file in FOLDER.iterdir())
#: When the recorded requests were signed.
SIGNED_AT = datetime(2026, 11, 29, 9, 0, 2, tzinfo=UTC)

#: The variable that holds each sender's secret, and the secret of its requests.
SECRETS = {
    "beszel": ("BESZEL_SECRET", "beszel-test-secret-0123456789"),
    "github": ("GITHUB_SECRET", "github-test-secret-0123456789"),
    "grafana": ("GRAFANA_SECRET", "grafana-test-secret-0123456789"),
    "healthchecks": ("CHECKS_SECRET", "hc-test-secret-0123456789"),
    "stripe": ("STRIPE_SECRET", "whsec_test_0123456789abcdef0123456789abcdef"),
}

#: What each makes of its recorded requests, in their order.
TOLD = {
    "beszel": [
        ("alert.firing", "alert:Connection to fra-1"),
        ("alert.resolved", "alert:Connection to fra-1"),
        ("alert.firing", "alert:fra-1 CPU"),
        ("alert.resolved", "alert:fra-1 CPU"),
        ("alert.firing", "alert:Home Server CPU"),
        ("alert.resolved", "alert:Home Server memory"),
        ("alert.resolved", "alert:Connection to Home Server"),
        ("alert.resolved", "alert:Home Server CPU"),
        ("alert.firing", "alert:Home Server battery"),
        ("alert.resolved", "alert:Home Server battery"),
    ],
    "github": [
        ("github.ping", "repository:example-org/vpn-config"),
        ("github.push", "repository:example-org/vpn-config"),
        ("github.release.published", "repository:example-org/vpn-config"),
        ("github.issues.opened", "repository:example-org/vpn-config"),
        ("github.workflow_run.failure", "repository:example-org/vpn-config"),
    ],
    "grafana": [
        ("alert.firing", "alert/c6eadffa33fcdf37:fra-1"),
        ("alert.resolved", "alert/c6eadffa33fcdf37:fra-1"),
        ("alert.firing", "alert/0123456789abcdef:DiskFull"),
    ],
    "healthchecks": [
        ("alert.firing", "alert:backup of fra-1"),
        ("alert.resolved", "alert:backup of fra-1"),
        ("alert.firing", 'alert:db "nightly" \\ 1'),
        ("alert.firing", "alert:renew certs"),
    ],
    "stripe": [
        ("payment.received", "user:cus_TEST0001"),
        ("payment.failed", "user:cus_TEST0001"),
        ("subscription.created", "user:cus_TEST0001"),
        ("subscription.cancelled", "user:cus_TEST0001"),
        ("stripe.checkout.session.completed", "user:cus_TEST0001"),
        ("payment.received", "user:cus_TEST0001"),
        ("payment.received", "user:cus_TEST0001"),
        ("payment.refunded", "user:cus_TEST0001"),
        ("payment.refunded", "user:cus_TEST0001"),
        ("payment.refunded", "user:cus_TEST0001"),
    ],
}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Config:
    sender = request.getfixturevalue("sender")
    monkeypatch.setenv(*SECRETS[sender])
    loaded = load(FOLDER / f"{sender}.yaml")
    assert not loaded.warnings
    return loaded.config


def door(config: Config) -> Source:
    ((name, settings),) = config.sources.items()
    return Source(name, settings.panel, settings.open())


def requests(sender: str) -> list[Hook]:
    return [replace(one.hook, received_at=SIGNED_AT) for one in recorded(sender, SENDERS) if not one.refuse]


def events(config: Config, sender: str) -> list[Event]:
    found = []
    for hook in requests(sender):
        source = door(config)
        source.panel.verify(hook)
        told, set_aside = source.parse(hook)
        assert set_aside == []
        found += [event for event, _ in told]
    return found


def test_every_recipe_is_known_here_and_named_in_the_documents() -> None:
    page = (ROOT / "docs" / "panels.md").read_text("utf-8")
    assert RECIPES == sorted(SECRETS) == sorted(TOLD)
    assert [name for name in RECIPES if f"(senders/{name}.yaml)" not in page] == []
    assert all(isinstance(one, Path) and one.suffix == ".yaml" for one in FOLDER.iterdir())


@pytest.mark.parametrize("sender", RECIPES)
def test_a_recipe_makes_of_its_senders_requests_what_is_said(config: Config, sender: str) -> None:
    assert [(one.type, one.subject) for one in events(config, sender)] == TOLD[sender]


@pytest.mark.parametrize("sender", RECIPES)
def test_a_recipe_tells_in_our_words_alone_and_says_something(config: Config, sender: str) -> None:
    for event in events(config, sender):
        assert event.data
        assert "None" not in str(event.data)
        assert event.type in TYPES or event.type.startswith(f"{sender}.")


@pytest.mark.parametrize("sender", RECIPES)
def test_a_recipes_rows_take_something_of_it(config: Config, sender: str) -> None:
    globs = [glob for route in config.routes for glob in route.match]
    assert any(type_ == glob or type_.startswith(glob.rstrip("*")) for type_, _ in TOLD[sender] for glob in globs)


@pytest.mark.parametrize("sender", ["beszel", "grafana", "healthchecks"])
def test_bad_news_and_its_end_take_each_other_back(config: Config, sender: str) -> None:
    first, second = events(config, sender)[:2]
    assert are_opposite(first.type, second.type)
    assert first.subject == second.subject


@pytest.mark.parametrize("sender", ["grafana"])
def test_what_ended_is_news_when_it_comes_again(config: Config, sender: str) -> None:
    source = door(config)
    firing, resolved, *_ = (mark for hook in requests(sender) for _, mark in source.parse(hook)[0])
    assert firing is not None
    assert resolved is not None
    assert (firing.ends, resolved.ends) == (resolved.key, firing.key)


@pytest.mark.parametrize("sender", ["github", "grafana", "stripe"])
def test_what_comes_again_is_known(config: Config, sender: str) -> None:
    source = door(config)
    for hook in requests(sender):
        first, again = ([mark for _, mark in source.parse(hook)[0]] for _ in range(2))
        assert None not in first
        assert first == again


@pytest.mark.parametrize(
    ("sender", "index", "data"),
    [
        ("beszel", 2, {"alert": {"name": "fra-1 CPU above threshold", "instance": "fra-1",
                                 "description": "CPU averaged 93.40% for the previous 10 minutes.",
                                 "url": "https://beszel.example.net/system/fra-1"}}),
        ("beszel", 4, {"alert": {"name": "Home Server CPU above threshold", "instance": "Home Server",
                                 "description": "CPU averaged 91.00% for the previous 10 minutes.",
                                 "url": "https://beszel.example.net/system/Home%20Server"}}),
        ("beszel", 8, {"alert": {"name": "Home Server battery below threshold",
                                 "description": "Battery averaged 9.00% for the previous 1 minute.",
                                 "url": "https://beszel.example.net/system/k3w0a5bq9x1zr7m"}}),
        ("github", 4, {"actor": "alice-example",
                       "system": {"component": "example-org/vpn-config", "message": "deploy"}}),
        ("healthchecks", 0, {"alert": {"name": "backup of fra-1", "description": "prod vpn"}}),
        ("stripe", 0, {"user": {"username": "alice@example.net", "email": "alice@example.net"},
                       "payment": {"id": "in_TEST1", "amount": 9.99, "currency": "EUR"}}),
    ],
)  # fmt: skip
def test_what_is_told_is_what_was_sent(config: Config, sender: str, index: int, data: dict[str, Any]) -> None:
    assert events(config, sender)[index].data == data


@pytest.mark.parametrize(
    ("sender", "index", "amount", "currency"),
    [
        ("stripe", 5, 5000, "JPY"),
        ("stripe", 6, 5.12, "KWD"),
        ("stripe", 7, 5, "USD"),
        ("stripe", 8, 15, "USD"),  # of two refunds the second one
        ("stripe", 9, 5, "USD"),
    ],
)
def test_an_amount_is_what_was_paid_or_given_back(
    config: Config, sender: str, index: int, amount: float, currency: str
) -> None:
    payment = events(config, sender)[index].data["payment"]
    assert (payment["amount"], payment["currency"]) == (amount, currency)


@pytest.mark.parametrize("sender", ["healthchecks"])
def test_who_reads_a_message_cannot_report_a_check_as_fine(config: Config, sender: str) -> None:
    assert "ping_url" in requests(sender)[3].body.decode()
    assert "***" in str(events(config, sender)[3].native)
    assert SIGNED_AT - timedelta(days=3) < events(config, sender)[0].occurred_at < SIGNED_AT
