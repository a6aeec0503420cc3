"""What may be meant and may not: told with its place, and it stops nothing."""

import os
from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.errors import ConfigError
from tests.config.files import SINK, loaded, mistakes, warnings

SOURCE = "sources:\n  m: {panel: marzban, secret: x}\n"
#: A file without a warning, whose rows begin in line 6.
GOOD = SOURCE + SINK + "routes:\n"


def test_what_may_not_be_meant_is_a_warning(tmp_path: Path) -> None:
    assert warnings(
        tmp_path,
        """\
sources:
  open: {panel: marzban, secret: none}
  demo: {panel: wgportal, secret: Bearer demo-wgportal-secret}
  mute: {panel: marzban, secret: x}
sinks:
  ops: {type: console}
  idle: {type: console}
  off: {type: console, enabled: false}
routes:
  - {to: [ops, off], source: [open, demo]}
""",
    ) == [
        '2:34: source "open": takes events from anyone, its secret is none',
        '3:35: source "demo": its secret is the one of the example, which everyone knows',
        '4:3: source "mute": no row takes its events',
        '7:3: sink "idle": no row names it',
        '8:33: sink "off" is disabled, nothing is kept for it',
    ]


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "localhost:8080", "'[::1]:8080'"])
def test_the_secrets_of_the_example_are_no_trouble_where_nobody_else_gets(tmp_path: Path, listen: str) -> None:
    source = "sources:\n  demo: {panel: marzban, secret: demo-marzban-secret}\n"
    assert warnings(tmp_path, source + SINK + f"routes:\n  - to: ops\nlisten: {listen}\n") == []
    assert len(warnings(tmp_path, source + SINK + "routes:\n  - to: ops\n")) == 1


def test_what_a_source_lets_through_in_clear_is_worth_a_warning(tmp_path: Path) -> None:
    source = "sources:\n  m: {panel: marzban, secret: x, unmask: [user.links, user.key]}\n"
    assert warnings(tmp_path, source + SINK + "routes:\n  - to: ops\n") == [
        '2:42: source "m": unmask: brings user.links, user.key into store and templates in clear'
    ]


@pytest.mark.parametrize("secret", ["a/b", "a{b}c", "a?b", "a b", "a%62", "ключ", "[fine, a#b]"])
@pytest.mark.parametrize("panel", ["orbvpn", "discord"])
def test_a_secret_that_stands_in_no_address_as_it_is_is_a_warning(tmp_path: Path, panel: str, secret: str) -> None:
    value = secret if secret.startswith("[") else f'"{secret}"'
    rest = SINK + "routes:\n  - to: ops\n"
    (warning,) = warnings(tmp_path, f"sources:\n  m: {{panel: {panel}, secret: {value}}}\n{rest}")
    assert "its secret stands in the address, and has a sign that must be percent-encoded there" in warning
    assert secret not in warning
    assert warnings(tmp_path, f"sources:\n  m: {{panel: marzneshin, secret: {value}}}\n{rest}") == []


@pytest.mark.parametrize("secret", ["0123abcdef", "a-b_c.d~e", "a!b$c&d'e(f)*+,;=:@"])
def test_one_that_does_is_none(tmp_path: Path, secret: str) -> None:
    text = f'sources:\n  m: {{panel: orbvpn, secret: "{secret}"}}\n{SINK}routes:\n  - to: ops\n'
    assert warnings(tmp_path, text) == []


@pytest.mark.parametrize(
    ("panel", "secret", "expected"),
    [
        ("marzban", "ключ-от-моста", "has a sign that the panel can write into no header, as all beyond Latin-1"),
        ("marzban", "schlüssel-für-alle", None),
        ("pasarguard", "ключ-от-моста", None),
        ("rebecca", "ключ-от-моста", "has a sign that the panel can write into no header, as all beyond Latin-1"),
        ("marzneshin", "ключ-от-моста", None),
        ("wgportal", "Bearer ключ-от-моста", None),
        *(
            (word, "one\\ntwo", "has a line break or a control character")
            for word in ("marzneshin", "rebecca", "wgportal")
        ),
        ("pasarguard", "one\\u0007two", "has a line break or a control character in it, which no header carries"),
        ("json", "one\\ntwo", None),  # it may stand in the address
        ("bedolaga", "one\\ntwo", None),  # it signs
    ],
)
def test_a_secret_that_the_panel_cannot_send_is_a_warning(
    tmp_path: Path, panel: str, secret: str, expected: str | None
) -> None:
    more = ", type: \"'x'\"" if panel == "json" else ""
    text = f'sources:\n  m: {{panel: {panel}, secret: "{secret}"{more}}}\n{SINK}routes:\n  - to: ops\n'
    found = warnings(tmp_path, text)
    assert (expected or "") in "".join(found)
    assert len(found) == (expected is not None)
    assert not any(secret[:3] in one for one in found)


WATCHED = "sources:\n  m: {panel: marzban, secret: x, silent_after: 6h}\n"


def test_a_silence_that_nobody_is_told_of_is_worth_a_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, WATCHED + SINK + "routes:\n  - to: ops\n") == [
        '2:48: source "m": silent_after: nobody is told: write alerts, or a row that matches bridge.*'
    ]


@pytest.mark.parametrize("asks", ["  - {to: ops, match: bridge.source_*}\n", "alerts: {to: ops}\n"])
def test_it_is_none_where_somebody_is(tmp_path: Path, asks: str) -> None:
    assert warnings(tmp_path, WATCHED + SINK + "routes:\n  - to: ops\n" + asks) == []


def test_a_sink_that_is_told_alerts_alone_is_named(tmp_path: Path) -> None:
    sinks = "sinks:\n  ops: {type: console}\n  night: {type: console}\n"
    assert warnings(tmp_path, SOURCE + sinks + "routes:\n  - to: ops\nalerts: {to: night}\n") == []


def test_a_row_may_take_what_the_bridge_tells_of_itself_by_its_source(tmp_path: Path) -> None:
    row = "  - {to: ops, source: panelbridge, match: bridge.*}\n"
    assert warnings(tmp_path, SOURCE + SINK + "routes:\n  - to: ops\n" + row) == []


def test_a_webhook_is_warned_of_where_it_stands(tmp_path: Path) -> None:
    webhook = "{name: x, providerType: ZAPIER, endpoint: 'https://hooks.zapier.com/hooks/catch/1/a', active: false}"
    assert warnings(tmp_path, SOURCE + SINK + f"routes:\n  - to: ops\nwebhooks:\n  - {webhook}\n") == [
        '8:99: sink "x" is disabled, nothing is kept for it'
    ]


def test_an_empty_file_is_worth_three_warnings(tmp_path: Path) -> None:
    assert warnings(tmp_path, "") == [
        "1:1: no sources: nothing can come in",
        "1:1: no sinks: nothing can go out",
        "1:1: no routes: events are kept and go nowhere",
    ]


@pytest.mark.parametrize("raw", [b"sinks: {", b"a: 'b", b"a:\n\tb: 1", b"sinks: \xff", b"- sinks"])
def test_what_a_file_lacks_that_cannot_be_read_is_not_known(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as told:
        load(file, {})
    assert (len(told.value.mistakes), list(told.value.warnings)) == (1, [])


def test_a_password_that_nobody_asks_for_is_worth_a_warning(tmp_path: Path) -> None:
    text = "store: sqlite:///a.db\nstore_password: x\n" + GOOD + "  - to: ops\n"
    assert warnings(tmp_path, text) == ["2:17: store_password: nobody asks for it, store is a file"]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("bridge.lanes_*", '6:22: route 1: no event is known as "bridge.lanes_*": there are user.*'),
        ("users.*", '6:22: route 1: no event is known as "users.*": did you mean "user.*"?'),
        ("usr.*", '6:22: route 1: no event is known as "usr.*": did you mean "user.*"?'),
        ("User.*", '6:22: route 1: no event is known as "User.*": did you mean "user.*"?'),
        ("user.usge_*", '6:22: route 1: no event is known as "user.usge_*": did you mean "user.usage_reset"?'),
        ("[user.*, members.*]", '6:31: route 1: no event is known as "members.*": there are user.*'),
        ('["*", "!users.login"]', '6:28: route 1: no event is known as "users.login": did you mean "user.login"?'),
        (".*", '6:22: route 1: no event is known as ".*": there are user.*'),
        ("'user.['", '6:22: route 1: "user.[" has a [ that nothing closes: write * for any letters'),
        ("'user.[ab'", '6:22: route 1: "user.[ab" has a [ that nothing closes: write * for any letters'),
        ('"user.[]"', '6:22: route 1: "user.[]" has a [ that nothing closes: write * for any letters'),
        ('"! user.login"', '6:22: route 1: "! user.login" takes nothing: write "!user.login" to leave it out'),
        ('["*", "!  user.*"]', '6:28: route 1: "!  user.*" takes nothing: write "!user.*" to leave it out'),
        ('"!!user.*"', '6:22: route 1: "!!user.*" takes nothing: write "!user.*" to leave it out'),
        ('"!"', "6:22: route 1: an empty type takes nothing: leave it out, or write * for all"),
        ("“user.*”", '6:22: route 1: "user.*" stands in quotes that are a part of it: use plain ones, or none'),
        ("[‘*’]", '6:23: route 1: "*" stands in quotes that are a part of it: use plain ones, or none'),
        ("'\"user.*\"'", '6:22: route 1: "user.*" stands in quotes that are a part of it: use plain ones, or none'),
        (
            "user.created user.deleted",
            '6:22: route 1: "user.created user.deleted" is taken as one type: '
            "write several as a list, as in [user.created, user.deleted]",
        ),
        (
            '"user.*, node.*"',
            '6:22: route 1: "user.*, node.*" is taken as one type: write several as a list, as in [user.*, node.*]',
        ),
        ("user.*|node.*", '6:22: route 1: "user.*|node.*" is taken as one type: write several as a list, as in [user.'),
        ("node.*", '6:22: route 1: no source of this row tells of "node.*": there are user.*'),
        ("user.modified", '6:22: route 1: no source of this row tells of "user.modified": did you mean '),
        ("USER_CREATED", '6:22: route 1: no source of this row tells of "USER_CREATED": did you mean "user_created"?'),
    ],
)
def test_a_type_that_no_source_tells_is_a_warning(tmp_path: Path, match: str, expected: str) -> None:
    found = warnings(tmp_path, GOOD + f"  - {{to: ops, match: {match}}}\n")
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    "match",
    [
        "*",
        "user.*",
        "user_*",
        "u*",
        "user.[cd]*",
        "user.?*",
        "!user.login",
        "marzban.*",
        "marzban.frozen",
        "bridge.*",
        "bridge.lane_away",
    ],
)
def test_a_type_that_may_come_is_none(tmp_path: Path, match: str) -> None:
    assert warnings(tmp_path, GOOD + f"  - {{to: ops, match: '{match}'}}\n") == []


@pytest.mark.parametrize(
    ("panel", "match"),
    [
        ("remnawave", "user.modified"),
        ("remnawave", "user.expires_in_24_hours"),
        ("remnawave", "errors.bandwidth_usage_threshold_reached_max_notifications"),
        ("remnawave", "crm.*"),
        ("orbvpn", "USER_*"),
        ("wgportal", "peer_metric.connect"),
        ("discord", "discord:*"),
        ("discord", "message.posted"),
        ("cloudevents", "com.example.backup, done"),
        ("cloudevents", "users.*"),
    ],
)
def test_a_name_of_the_panels_own_is_none(tmp_path: Path, panel: str, match: str) -> None:
    source = f"sources:\n  s: {{panel: {panel}, secret: 'abc0abc0abc0abc0abc0abc0abc0abc0abc0'}}\n"
    assert warnings(tmp_path, source + SINK + f"routes:\n  - {{to: ops, match: '{match}'}}\n") == []


def test_a_row_is_compared_with_the_sources_that_it_names(tmp_path: Path) -> None:
    source = "sources:\n  m: {panel: marzban, secret: x}\n  r: {panel: remnawave, secret: x}\n"
    rows = "routes:\n  - {to: ops, match: node.*}\n  - {to: ops, match: node.*, source: m}\n"
    assert warnings(tmp_path, source + SINK + rows)[-1:] == [
        '8:22: route 2: no source of this row tells of "node.*": there are user.*'
    ]


def test_a_misspelt_type_stays_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD + "  - {to: ops, match: user.creatd}") == [
        'config.yaml:6:22: route 1: no event has the type "user.creatd": did you mean "user.created"?'
    ]


def test_a_webhook_is_asked_by_either_spelling(tmp_path: Path) -> None:
    events = "[USER_CREATED, user.login, USERS_CREATED, '*']"
    webhook = f"{{name: x, providerType: ZAPIER, subscribedEvents: {events}, endpoint: 'https://x.example/'}}"
    assert warnings(tmp_path, SOURCE + SINK + f"routes:\n  - to: ops\nwebhooks:\n  - {webhook}\n") == [
        '8:82: webhook 1: no event is known as "USERS_CREATED": did you mean "user_created"?'
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$SECRET", "${NAME}"),
        ("$MARZBAN_SECRET_2", "${NAME}"),
        ("$HERE", "${HERE}"),
        ("a-$HERE/b", "${HERE}"),
        ("$(SECRET)", "${NAME}"),
        ("'%SECRET%'", "${NAME}"),
        ("'{{ SECRET }}'", "${NAME}"),
        ("'{{ env.SECRET }}'", "${NAME}"),
        ("a$(HERE)", "${HERE}"),
    ],
)
def test_a_variable_that_is_none_is_a_warning_and_tells_no_secret(tmp_path: Path, value: str, expected: str) -> None:
    text = f"sources:\n  m: {{panel: marzban, secret: {value}}}\n" + SINK + "routes:\n  - to: ops\n"
    assert warnings(tmp_path, text, {"HERE": "x"}) == [
        f'2:31: source "m": secret is taken as it is: for a variable write {expected}, for a dollar $$'
    ]


@pytest.mark.parametrize(
    "value", ["pa$word", "$$SECRET", "$SECRETs", "a$SECRET", "$5", "100%", "'x$${HERE}'", "'%5B%5D'"]
)
def test_a_dollar_in_a_secret_is_none(tmp_path: Path, value: str) -> None:
    text = f"sources:\n  m: {{panel: marzban, secret: {value}}}\n" + SINK + "routes:\n  - to: ops\n"
    assert warnings(tmp_path, text, {"HERE": "x"}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sinks:\n  ops: {type: discord, url: $OPS_URL}",
            '2:29: sink "ops": url is taken as it is: for a variable write ${NAME}, for a dollar $$',
        ),
        (
            "sinks:\n  ops: {type: telegram, token: 1:a, chat_id: $CHAT}",
            '2:46: sink "ops": chat_id is taken as it is: for a variable write ${NAME}, for a dollar $$',
        ),
        ("listen: $LISTEN", "1:9: listen is taken as it is: for a variable write ${NAME}, for a dollar $$"),
    ],
)
def test_it_is_the_mistake_where_the_text_itself_is_none(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, text) == [f"config.yaml:{expected}"]


STOP = "  - {to: ops, stop: true}\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            STOP + "  - {to: ops, match: user.*}\n",
            ["7:5: route 2: no event gets here: route 1 takes all of them, and stops"],
        ),
        (
            "  - {to: ops, match: user.*, stop: true}\n  - {to: ops, match: [user.created, user_*]}\n"
            "  - {to: ops, match: [user.created, user.usage_*]}\n",
            ["8:5: route 3: no event gets here: route 1 takes all of them, and stops"],
        ),
        (
            "  - {to: ops, source: m, stop: true}\n  - {to: ops, source: m}\n  - {to: ops}\n",
            ["7:5: route 2: no event gets here: route 1 takes all of them, and stops"],
        ),
        (
            STOP + STOP + "  - {to: ops}\n",
            [
                "7:5: route 2: no event gets here: route 1 takes all of them, and stops",
                "8:5: route 3: no event gets here: route 1 takes all of them, and stops",
            ],
        ),
        ("  - {to: ops, when: data.x, stop: true}\n  - {to: ops}\n", []),
        ("  - {to: ops, match: ['*', '!user.login'], stop: true}\n  - {to: ops}\n", []),
        ("  - {to: ops, match: user.*, stop: true}\n  - {to: ops}\n", []),
        ("  - {to: ops}\n" + STOP, []),
        (STOP + "  - {to: ops, match: bridge.*}\n", []),
    ],
)
def test_a_row_that_nothing_reaches_is_a_warning(tmp_path: Path, rows: str, expected: list[str]) -> None:
    assert warnings(tmp_path, GOOD + rows) == expected


def test_a_webhook_that_nothing_reaches_is_one_too(tmp_path: Path) -> None:
    webhook = "webhooks:\n  - {name: x, providerType: ZAPIER, endpoint: 'https://x.example/'}\n"
    assert warnings(tmp_path, GOOD + STOP + webhook) == [
        "8:5: webhook 1: no event gets here: route 1 takes all of them, and stops"
    ]


def test_warnings_are_told_beside_mistakes(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="should be true or false") as raised:
        loaded(tmp_path, GOOD + "  - {to: ops, match: users.*, stop: perhaps}\n")
    assert [one.text for one in raised.value.warnings] == [  # type: ignore[attr-defined]
        'route 1: no event is known as "users.*": did you mean "user.*"?'
    ]


# What stands in a file of its own


@pytest.mark.parametrize(
    "content", ["\ufeffabc", "abc\n\n", "abc\r\n\r\n", "\n\nabc\n", "abc\n  \n", "\ufeff\nabc\r\n"]
)
def test_what_an_editor_adds_to_a_secrets_file_is_taken_off(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    text = "sources:\n  m: {panel: marzban, secret_file: secret}\n" + SINK + "routes:\n  - to: ops\n"
    found = loaded(tmp_path, text)
    assert [one.get_secret_value() for one in found.config.sources["m"].secret] == ["abc"]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("abc\ndef\n", "has more than one line in {}, and all of them are taken: keep one"),
        ("abc\n\n# the old one\n", "has more than one line in {}, and all of them are taken: keep one"),
        ("abc\rdef", "has more than one line in {}, and all of them are taken: keep one"),
        ("abc ", "has a space at its beginning or end in {}, which is taken too"),
        (" abc\n", "has a space at its beginning or end in {}, which is taken too"),
        ("abc\t\n", "has a space at its beginning or end in {}, which is taken too"),
    ],
)
def test_what_may_not_belong_to_a_secret_is_a_warning(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    text = "sources:\n  m: {panel: defguard, secret_file: secret}\n" + SINK + "routes:\n  - to: ops\n"
    assert warnings(tmp_path, text) == [f'2:37: source "m": secret {expected.format(tmp_path / "secret")}']


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"\xef\xbb\xbf\n", "it is empty"),
        (b"\xff\xfea\0", "it is not UTF-8 text"),
    ],
)
def test_a_file_without_a_secret_is_a_mistake(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert mistakes(tmp_path, "sources:\n  m: {panel: marzban, secret_file: secret}\n") == [
        f'config.yaml:2:36: source "m": secret cannot be read from {tmp_path}/secret: {why}'
    ]


def test_a_templates_file_may_have_many_lines(tmp_path: Path) -> None:
    (tmp_path / "body").write_text("{\n}\n")
    text = GOOD.replace("{type: console}", "{type: webhook, url: 'https://x', body_file: body}") + "  - to: ops\n"
    assert warnings(tmp_path, text) == []


# Where the store is


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("file/panelbridge.db", "{}/file is no folder"),
        ("file/below/panelbridge.db", "{}/file is no folder"),
        ("folder", "{}/folder is no file"),
        ("folder/panelbridge.db", None),
        ("new/below/panelbridge.db", None),
        ("file", None),
    ],
)
def test_a_store_that_cannot_be_written_is_a_warning(tmp_path: Path, store: str, expected: str | None) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    text = f"store: sqlite:///{tmp_path}/{store}\n" + GOOD + "  - to: ops\n"
    assert warnings(tmp_path, text) == (
        [f"1:8: store cannot be written by who asks: {expected.format(tmp_path)}"] if expected else []
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("store", ["locked/panelbridge.db", "locked/below/panelbridge.db"])
def test_a_folder_that_belongs_to_somebody_else_is_one_too(tmp_path: Path, store: str) -> None:
    (tmp_path / "locked").mkdir(0o500)
    text = f"store: sqlite:///{tmp_path}/{store}\n" + GOOD + "  - to: ops\n"
    assert warnings(tmp_path, text) == [
        f"1:8: store cannot be written by who asks: {tmp_path}/locked: permission denied"
    ]


@pytest.mark.parametrize(
    ("report", "days"),
    [
        ("at: '09:00'", 10),
        ("every: week, at: '09:00'", 18),
        ("every: month, at: '09:00'", 70),
        ("every: month, calendar: jalali, day: 28, at: '09:00'", 97),
    ],
)
def test_what_is_kept_for_less_than_a_report_looks_back_is_worth_a_warning(
    tmp_path: Path, report: str, days: int
) -> None:
    file = f"{GOOD}  - to: ops\nreports:\n  told: {{{report}, to: ops}}\n"
    line = file.splitlines().index(next(one for one in file.splitlines() if "told" in one)) + 1
    what = f"looks back {days} days, and what is older than keep is not counted: write keep: {days}d"
    assert warnings(tmp_path, f"{file}keep: {days * 24 - 1}h\n") == [f"{line}:3: reports.told: {what}"]
    assert warnings(tmp_path, f"{file}keep: {days}d\n") == []


@pytest.mark.parametrize(
    ("sink", "installed", "warned"),
    [
        ("type: telegram, token: '1:AAF-telegram-bot-token-0123456789abc', chat_id: 42", False, True),
        ("type: telegram, token: '1:AAF-telegram-bot-token-0123456789abc', chat_id: 42", True, False),
        ("type: console", False, False),  # it would be told in signs anyway
    ],
)
def test_a_picture_that_nothing_draws_is_worth_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str, installed: bool, warned: bool
) -> None:
    monkeypatch.setattr("bridge.config.warnings.can_be_drawn", lambda: installed)
    report = "{at: '09:00', picture: true, to: ops}"
    file = f"{SOURCE}sinks:\n  ops: {{{sink}}}\nroutes: [{{to: ops}}]\nreports:\n  told: {report}\n"
    what = (
        "7:32: reports.told.picture: its bars are signs in the text: pictures need what is not installed, pip install "
    )
    assert warnings(tmp_path, file) == ([f"{what}'panelbridge[pictures]'"] if warned else [])
