"""The customers' bot, and what rows say to customers: every mistake is told with its place."""

from pathlib import Path

import pytest

from tests.config.files import loaded, mistakes

TOKEN = "'123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11'"
SINKS = f"""sources: {{marzban: {{panel: marzban, secret: a-secret}}}}
sinks:
  dm: {{type: telegram, token: {TOKEN}, chat_id: '{{{{ person.telegram }}}}'}}
  ops: {{type: telegram, token: {TOKEN}, chat_id: -1001}}
  here: {{type: console}}
"""
ROW = "routes: [{match: user.expired, to: dm, audience: user}, {to: [ops, here]}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("people: {bot: ops}\n" + ROW, 'people.bot: sink "ops" is not addressed to users'),
        ("people: {bot: here}\n" + ROW, 'people.bot: sink "here" is of a service whose people cannot write to it'),
        ("people: {bot: d}\n" + ROW, 'people.bot: no sink named "d": did you mean "dm"?'),
        ("people: {bto: dm}\n" + ROW, 'unknown key "bto": did you mean "bot"?'),
        ("people: {bot: dm, link_expires: 5s}\n" + ROW, "people.link_expires"),
        ("people: {bot: dm, support: 'javascript:x'}\n" + ROW, "should begin with https://, tg:// or mailto:"),
        ("people: {bot: dm, max_per_day: 0}\n" + ROW, "people.max_per_day"),
        ("people: {bot: dm, categories: {promo: true}}\n" + ROW, 'unknown key "promo"'),
        (
            "people: {bot: dm}\nroutes: [{match: user.expired, to: dm, audience: user, category: promo}]\n",
            "route 1: category",
        ),
        (
            "people: {bot: dm}\nroutes: [{match: user.expired, to: ops, critical: true}]\n",
            "route 1: critical is for customers: the row needs audience: user",
        ),
        (
            "people: {bot: dm}\nroutes: [{match: user.expired, to: dm, audience: user, fallback: ops}]\n",
            'route 1: sink "ops" is not addressed to users: audience: user is for those',
        ),
        (ROW, "its users are looked up in directory, and there is none"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in one for one in mistakes(tmp_path, SINKS + text)), mistakes(tmp_path, SINKS + text)


def test_where_customers_can_link_their_chats_no_directory_is_needed(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"{SINKS}people: {{bot: dm}}\n{ROW}").config
    ears = config.ears()
    assert ears is not None
    assert ears.sender == "telegram bot 123456"


def test_customers_fall_back_to_another_sink_of_theirs(tmp_path: Path) -> None:
    second = SINKS.replace(
        "  ops:", f"  other: {{type: telegram, token: {TOKEN}, chat_id: '{{{{ data.user.id }}}}'}}\n  ops:"
    )
    row = "people: {bot: dm}\nroutes: [{match: user.expired, to: dm, audience: user, fallback: other}]\n"
    assert loaded(tmp_path, second + row).config.routes[0].fallback == ("other",)


def test_a_bot_is_not_listened_to_where_the_file_does_not_say_so(tmp_path: Path) -> None:
    directory = "directory: {users: {alice: {telegram: 1}}}\n"
    assert loaded(tmp_path, SINKS + directory + ROW).config.ears() is None
    disabled = SINKS.replace("person.telegram }}'", "person.telegram }}', enabled: false")
    assert loaded(tmp_path, f"{disabled}{directory}people: {{bot: dm}}\n{ROW}").config.ears() is None


LETTERS = """sources: {marzban: {panel: marzban, secret: a-secret}}
sinks: {mail: {type: email, server: smtp.example.com, from: a@b.example, to: '{{ data.user.email }}'}}
routes: [{match: user.expired, to: mail, audience: user}]
"""
KEY = "secret_key: a-key-of-thirty-two-signs-or-more\n"


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("", True),
        (KEY, True),
        ("public_url: https://b.example.com\n", True),
        (f"{KEY}public_url: http://b.example.com\n", True),
        (f"{KEY}public_url: https://b.example.com\n", False),
    ],
)
def test_letters_that_no_customer_can_stop_are_told(tmp_path: Path, more: str, warned: bool) -> None:
    found = loaded(tmp_path, LETTERS + more)
    assert any("have no link that stops them" in one.text for one in found.warnings) is warned
    assert (found.config.stop_links() is None) is warned


def test_letters_to_operators_need_no_link(tmp_path: Path) -> None:
    text = LETTERS.replace("'{{ data.user.email }}'", "ops@b.example").replace(", audience: user", "")
    assert not loaded(tmp_path, text).warnings


RETURNED = """
sources: {marzban: {panel: marzban, secret: a-secret}}
sinks:
  mail: {type: email, server: smtp.example.com, from: a@b.c, to: '{{ data.user.email }}'%s}
routes: [{match: user.expired, to: mail, audience: user}]
"""
LOGIN = ", username: a@b.c, password: pa55word"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            LOGIN + ", bounces: {server: i.example.com}",
            "bounces needs secret_key: make one with `openssl rand -base64 32`",
        ),
        (", bounces: {server: i.example.com}", "bounces needs both username and password, here or for the sink itself"),
        (
            LOGIN + ", bounces: {server: i.example.com, username: b}",
            "bounces needs both username and password, here or for the sink itself",
        ),
        (
            LOGIN + ", bounces: {server: i.example.com, encryption: none}",
            "bounces.encryption: none is for a server on this machine alone: say starttls or tls",
        ),
        (
            LOGIN + ", bounces: {server: 'imaps://i.example.com'}",
            "bounces.server should be the name of a host alone, as smtp.example.com",
        ),
        (
            LOGIN + ", bounces: {server: i.example.com, folder: 'a\"b'}",
            "bounces.folder should be the name of a folder in plain letters, as the server calls it",
        ),
    ],
)  # fmt: skip
def test_an_inbox_that_cannot_be_read_or_believed_is_told(tmp_path: Path, more: str, expected: str) -> None:
    [found] = mistakes(tmp_path, RETURNED % more)
    assert found.endswith(expected)
    assert 'sink "mail"' in found


def test_an_inbox_is_for_a_sink_with_many_addresses(tmp_path: Path) -> None:
    text = RETURNED.replace("'{{ data.user.email }}'", "ops@b.c").replace(", audience: user", "")
    [found] = mistakes(tmp_path, text % (LOGIN + ", bounces: {server: i.example.com}"))
    assert found.endswith("bounces is for a sink with many addresses: to is one")


LACKS = "takes no subscription link and no config for a proof: that needs secret_key, or say proofs: false"


@pytest.mark.parametrize(
    ("more", "taken", "warned"),
    [
        ("people: {bot: dm}\n", True, True),
        (f"{KEY}people: {{bot: dm}}\n", True, False),
        (f"{KEY}people: {{bot: dm, proofs: true}}\n", True, False),
        (f"{KEY}people: {{bot: dm, proofs: false}}\n", False, False),
        ("people: {bot: dm, proofs: false}\n", False, False),
    ],
)
def test_proofs_are_taken_where_a_bot_is_and_check_says_where_the_key_is_missing(
    tmp_path: Path, more: str, taken: bool, warned: bool
) -> None:
    found = loaded(tmp_path, SINKS + more + ROW)
    assert found.config.takes_proofs() is taken
    assert [one.text for one in found.warnings if "proof" in one.text] == [f"people: {LACKS}"] * warned


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (
            "{bot: dm, proofs: true}",
            "people.proofs needs secret_key: what customers show is recognised by a hash under it",
        ),
        ("{proofs: true}", "people.proofs needs people.bot: it is a bot that they are shown to"),
    ],
)
def test_who_asks_for_proofs_and_has_not_what_that_needs_is_told_so(tmp_path: Path, people: str, expected: str) -> None:
    told = mistakes(tmp_path, f"{SINKS}people: {people}\n{ROW}")
    assert any(one.endswith(expected) for one in told), told
