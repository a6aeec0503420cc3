"""Where each panel posts to, and what to paste there; a panel that is asked is not told where to post."""

from bridge.cli.startup import startup_lines
from bridge.config.endpoints import SourceEndpoint, endpoints
from bridge.config.model import Config
from tests.panels.hearing import REQUIRED, WORDS

ASKED = {"panel": "3x-ui", **REQUIRED["3x-ui"], "interval": "5m"}
CONFIG = Config.model_validate({"sources": {"main": ASKED}})


def test_a_panel_that_is_asked_has_nothing_to_paste_and_shows_no_path() -> None:
    assert list(endpoints(CONFIG)) == [SourceEndpoint("main", "3x-ui", "asked at panel.example.com every 300 s", ())]
    assert "main (3x-ui): asked at panel.example.com every 300 s" in startup_lines(CONFIG, "127.0.0.1:8080", None)


def test_a_secret_in_an_address_is_shown_as_it_stands_there() -> None:
    sources = {
        "demo": {"panel": "discord", "secret": "demo/{discord}"},
        "own": {"panel": "orbvpn", "secret": "a/b"},
        "plain": {"panel": "orbvpn", "secret": "a-b_c.d~e!f"},
    }
    urls = [one.url.partition("8080")[2] for one in endpoints(Config.model_validate({"sources": sources}))]
    assert urls == [
        "/api/webhooks/demo/demo%2F%7Bdiscord%7D",
        "/in/own/<secret of own, percent-encoded>",
        "/in/plain/<secret of plain>",
    ]


def test_every_panel_that_posts_has_something_to_paste() -> None:
    posting = {
        word: {"panel": word, "secret": "demo-secret", **REQUIRED.get(word, {})} for word in WORDS if word != "3x-ui"
    }
    posting["remnawave"]["secret"] = "demo0" * 10
    for one in endpoints(Config.model_validate({"sources": posting})):
        assert one.url in "\n".join(one.paste)
