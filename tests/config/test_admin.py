"""`admin:` in the file: what starts, and what does not, with line and column."""

from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.errors import ConfigError
from bridge.people.owner import Owner

GOOD = "0123456789abcdef"


def loaded(folder: Path, admin: str, *, more: str = "") -> list[str]:
    """The mistakes of a file with this in `admin:`."""
    file = folder / "config.yaml"
    file.write_text(f"admin: {admin}\n{more}")
    try:
        load(file, {})
    except ConfigError as error:
        return [f"{one.line}:{one.column} {one.text}" for one in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("listen", "admin", "is_free"),
    [
        ("127.0.0.1:18095", "127.0.0.1:18095", False),
        ("0.0.0.0:18095", "127.0.0.1:18095", False),
        ("127.0.0.1:18095", "localhost:18095", False),
        ("':18095'", "127.0.0.1:18095", False),
        ("127.0.0.1:18095", "127.0.0.2:18095", True),
        ("'[::]:18095'", "'[::1]:18095'", False),
        ("'[::]:18095'", "127.0.0.1:18095", False),
        ("'*:18095'", "127.0.0.1:18095", False),
        ("'[::1]:18095'", "127.0.0.1:18095", True),
        ("0.0.0.0:18095", "127.0.0.1:18096", True),
        ("127.0.0.1:0", "127.0.0.1:0", True),
    ],
)
def test_the_admin_side_listens_elsewhere_than_panels_are_listened_to(
    tmp_path: Path, listen: str, admin: str, is_free: bool
) -> None:
    told = loaded(tmp_path, f"{{listen: {admin}, token: {GOOD}}}", more=f"listen: {listen}\n")
    what = f"is where panels are listened to already, {listen.strip(chr(39))}: give it a port of its own"
    assert told == ([] if is_free else [f"1:17 admin.listen {what}"])


@pytest.mark.parametrize(
    "admin",
    [
        "{}",
        "{listen: null}",
        "{listen: 127.0.0.1:8081}",
        "{listen: localhost:0}",
        "{listen: '[::1]:8081'}",
        "{url: 'http://localhost:9000'}",
        f"{{listen: 0.0.0.0:8081, token: {GOOD}}}",
        f"{{listen: ':8081', token: [{GOOD}, {GOOD}0], read_token: {GOOD}1}}",
        "{listen: 127.0.0.1:8081, token: demo-0123456789abcdef}",
        f"{{listen: 127.0.0.1:1, url: 'https://b.example/admin', token: {GOOD}, proxies: [10.0.0.0/8], session: 1h}}",
    ],
)
def test_what_starts(tmp_path: Path, admin: str) -> None:
    assert loaded(tmp_path, admin) == []


NEEDED = "admin.token is needed where"
OR_HERE = "give one, or listen on 127.0.0.1"
MAKE_ONE = "make one with `openssl rand -hex 16`"
SHORT = f"1:16 admin.token should have at least 16 signs: {MAKE_ONE}"
ODD = "1:16 admin.token should be one word of plain letters, digits and signs"
SAME = "1:46 admin.read_token is the same as token: who has it could act"


MISSING = 'missing key "token": who has it sees this owner\'s events, 16 signs or more'
OWNER = "admin.owners.reseller-7"
SEVEN = f"token: {GOOD}, owners: {{reseller-7: {{"
TWO = "sources: {a: {panel: marzban, secret: none-0123}, b: {panel: pasarguard, secret: none-0123}}\n"


@pytest.mark.parametrize(
    ("admin", "mistakes"),
    [
        (f"{SEVEN}token: {GOOD}7, realm: a}}}}", []),
        (f"{SEVEN}token: [{GOOD}7, {GOOD}8], realm: b}}}}", []),
        (f"{SEVEN}token: {GOOD}7}}}}", [f"{OWNER}.realm is needed: there are a, b"]),
        (f"{SEVEN}token: {GOOD}7, realm: c}}}}", [f'{OWNER}.realm: no source has the realm "c": there are a, b']),
        (f"{SEVEN}realm: a}}}}", [f"{OWNER}: {MISSING}"]),
        (f"{SEVEN}token: short, realm: a}}}}", [f"{OWNER}.token should have at least 16 signs: {MAKE_ONE}"]),
        (f"{SEVEN}token: {GOOD}, realm: a}}}}", [f"{OWNER}.token is the same as token: each opens one page"]),
        (
            f"{SEVEN}token: {GOOD}7, realm: a}}, reseller-9: {{token: {GOOD}7, realm: a}}}}",
            ["admin.owners.reseller-9.token is the same as that of reseller-7: each opens one page"],
        ),
        (
            f"token: {GOOD}, owners: {{'': {{token: {GOOD}7, realm: a}}}}",
            ["admin.owners. is no name: it has signs that are not seen, or too many"],
        ),
        (
            f"owners: {{reseller-7: {{token: {GOOD}7, realm: a}}}}",
            ["admin.token is needed beside owners: without it whoever comes may act"],
        ),
    ],
)
def test_whose_page_a_token_opens_is_said_once_and_of_one_realm(
    tmp_path: Path, admin: str, mistakes: list[str]
) -> None:
    assert [one.split(" ", 1)[1] for one in loaded(tmp_path, f"{{{admin}}}", more=TWO)] == mistakes


def test_an_owners_token_may_stand_in_a_file_and_its_realm_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "seven").write_text(f"{GOOD}7\n")
    file = tmp_path / "config.yaml"
    source = "sources: {a: {panel: marzban, secret: none-0123}}"
    file.write_text(f"admin: {{token: {GOOD}, owners: {{reseller-7: {{token_file: seven}}}}}}\n{source}\n")
    [(owner, token)] = load(file, {}).config.admin_side().owned_tokens()
    assert (owner, token.get_secret_value()) == (Owner("a", "reseller-7"), f"{GOOD}7")


@pytest.mark.parametrize(
    ("admin", "mistakes"),
    [
        ("{listen: 0.0.0.0:8081}", [f"1:17 {NEEDED} the admin side listens on 0.0.0.0: {OR_HERE}"]),
        ("{listen: ':8081'}", [f"1:17 {NEEDED} the admin side listens on all addresses: {OR_HERE}"]),
        ("{listen: '[::]:8081'}", [f"1:17 {NEEDED} the admin side listens on [::]: {OR_HERE}"]),
        ("{listen: 10.1.2.3:8081}", [f"1:17 {NEEDED} the admin side listens on 10.1.2.3: {OR_HERE}"]),
        ("{url: 'https://b.example'}", [f"1:8 {NEEDED} people reach the admin side through a proxy"]),
        ("{proxies: [127.0.0.1]}", [f"1:8 {NEEDED} people reach the admin side through a proxy"]),
        (
            f"{{listen: 127.0.0.1:1, read_token: {GOOD}}}",
            ["1:17 admin.token is needed beside read_token: without it whoever comes may act"],
        ),
        (
            "{listen: 0.0.0.0:8081, token: demo-0123456789abcdef}",
            [f"1:38 admin.token is the one of the example, which everyone knows: {MAKE_ONE}"],
        ),
        ("{token: 012345}", [SHORT]),
        ("{token: [0123456789abcdef, x]}", [SHORT]),
        ("{token: 'has spaces in the middle'}", [ODD]),
        (f"{{token: {GOOD}, read_token: {GOOD}}}", [SAME]),
        ("{token: ''}", ["1:16 admin.token should be a token, or a list of them while you change it"]),
        ("{token: {a: b}}", ["1:16 admin.token should be a token, or a list of them while you change it"]),
        ("{listen: 8081}", ["1:17 admin.listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"]),
        ("{url: bridge.example.com}", ["1:14 admin.url should be an address that begins with http:// or https://"]),
        ("{metrics: yes}", ["1:18 admin.metrics should be open, token or off"]),
        ("{session: 0}", ["1:18 admin.session should be more than 0"]),
        ("{tokens: x}", ['1:9 admin: unknown key "tokens": did you mean "token"?']),
    ],
)  # fmt: skip
def test_what_does_not_start_and_why(tmp_path: Path, admin: str, mistakes: list[str]) -> None:
    assert loaded(tmp_path, admin) == mistakes


def test_a_token_may_stand_in_a_file_and_a_password_never_is_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{GOOD}\n")
    file = tmp_path / "config.yaml"
    file.write_text("admin: {listen: 0.0.0.0:1, token_file: token}\n")
    found = load(file, {})
    assert found.config.admin_side().token[0].get_secret_value() == GOOD
    assert tmp_path / "token" in found.files
    assert GOOD not in repr(found)


def test_on_this_machine_alone_it_needs_no_token(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("admin: {listen: 0.0.0.0:8081}\n")
    assert load(file, {}, on_loopback=True).config.admin_side().listen == "127.0.0.1:8081"


@pytest.mark.parametrize(
    ("url", "warned"), [("http://b.example", True), ("https://b.example", False), ("http://[::1]:1", False)]
)
def test_a_token_that_travels_in_the_clear_is_warned_of(tmp_path: Path, url: str, warned: bool) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"admin: {{url: '{url}', token: {GOOD}}}\n")
    told = [one.text for one in load(file, {}).warnings]
    assert ("admin.url is http: the token travels in the clear" in told) is warned
