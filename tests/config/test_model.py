"""What the file says as one value: names, defaults, the table."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.config.model import Config
from bridge.config.warnings import is_demo
from tests.config.files import SINK, loaded


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, "").config
    assert config == Config()
    assert (config.listen, config.locale, config.keep.operators, config.shutdown) == (
        "0.0.0.0:8080",
        "en",
        30 * 86400,
        10,
    )
    assert config.store == "sqlite:///panelbridge.db"
    assert str(config.zone()) == "UTC"
    assert (config.all_sinks(), config.table(), config.template_folders()) == ({}, [], ())


def test_the_password_of_the_store_can_come_from_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/w#o%41\n")
    config = loaded(tmp_path, "store: postgresql://u@h/d\nstore_password_file: password").config
    assert config.store_url() == "postgresql://u:p%40ss%2Fw%23o%2541@h/d"
    assert "ss/w" not in repr(config)


@pytest.mark.parametrize("name", ["m", "123", "no", "on", "null", "a.b_c-d", "A" * 64])
def test_a_name_begins_with_a_letter_or_a_digit(tmp_path: Path, name: str) -> None:
    assert list(loaded(tmp_path, f"sinks:\n  {name}: {{type: console}}").config.sinks) == [name]


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a b", "a/b", "نام", "A" * 65, "a\nb"])
def test_other_names_are_none(name: str) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"sinks": {name: {"type": "console"}}})


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "localhost:0", ":8080", "*:8080", "[::]:8080", "[::1]:65535"])
def test_the_bridge_listens_where_it_is_told(listen: str) -> None:
    assert Config(listen=listen).listen == listen


def test_an_address_for_panels_has_no_slash_at_its_end() -> None:
    assert Config(public_url="https://bridge.example.com/vpn/").public_url == "https://bridge.example.com/vpn"


def test_the_table_has_the_routes_and_then_the_webhooks(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        SINK + "routes:\n  - to: ops\n  - {to: ops, match: node.*}\n"
        "webhooks:\n  - {name: My Zap, providerType: ZAPIER, endpoint: https://hooks.zapier.com/hooks/catch/1/2/}\n",
    ).config
    assert [(name, route.match, route.to) for name, route in config.table()] == [
        ("route 1", ("*",), ("ops",)),
        ("route 2", ("node.*",), ("ops",)),
        ("webhook My Zap", ("*",), ("my-zap",)),
    ]
    assert list(config.all_sinks()) == ["ops", "my-zap"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("timeout: 30s", 30), ("timeout: 30", 30), ('timeout: "30"', 30), ("timeout: 0.5m", 30), ("timeout: ${T}", 30)],
)
def test_a_duration_may_be_written_in_many_ways(tmp_path: Path, text: str, value: float) -> None:
    config = loaded(tmp_path, f"sinks:\n  ops: {{type: console, {text}}}", {"T": "30"}).config
    assert config.sinks["ops"].timeout == value


@pytest.mark.parametrize("word", ["no", "off", "false", "${OFF}", '"false"'])
def test_a_switch_may_be_turned_off_in_many_words(tmp_path: Path, word: str) -> None:
    assert (
        not loaded(tmp_path, f"sinks:\n  ops: {{type: console, enabled: {word}}}", {"OFF": "no"})
        .config.sinks["ops"]
        .enabled
    )


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("none", []),
        ("no", ["no"]),
        ("0123", ["0123"]),
        ("123", ["123"]),
        ("[old, new]", ["old", "new"]),
        ("${S}", ["0777"]),
        ("'null'", ["null"]),
    ],
)
def test_a_secret_stays_the_text_that_was_written(tmp_path: Path, text: str, secrets: list[str]) -> None:
    config = loaded(tmp_path, f"sources:\n  m: {{panel: marzban, secret: {text}}}", {"S": "0777"}).config
    assert [one.get_secret_value() for one in config.sources["m"].secret] == secrets


def test_no_secret_is_in_what_the_settings_print(tmp_path: Path) -> None:
    text = "s3cr3t-s3cr3t"
    config = loaded(
        tmp_path,
        f"""\
sources: {{m: {{panel: marzban, secret: {text}}}}}
sinks:
  a: {{type: discord, url: https://x/{text}, proxy: 'http://u:{text}@h'}}
  b: {{type: telegram, token: '1:{text}', chat_id: 7}}
  c: {{type: webhook, url: https://x/{text}, headers: {{A: {text}}}}}
webhooks:
  - {{name: x, providerType: SLACK, endpoint: https://x/{text}}}
  - {{name: y, providerType: GOHIGHLEVEL, endpoint: https://x/, secret: {text},
      providerSpecificConfig: {{apiKey: {text}, locationId: 1}}}}
""",
    ).config
    assert text not in repr(config) + str(config) + config.model_dump_json()
    assert text not in repr(config.all_sinks())


def test_a_password_that_nobody_asks_for_changes_no_store() -> None:
    config = Config.model_validate({"store": "sqlite:///a.db", "store_password": "x"})
    assert config.store_url() == "sqlite:///a.db"


def test_a_demo_secret_begins_with_demo() -> None:
    assert is_demo("demo-x")
    assert is_demo("Bearer demo-x")
    assert not is_demo("my-demo")
