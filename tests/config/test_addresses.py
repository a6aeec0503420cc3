"""Addresses from data and the directory: every mistake is told with its place, before anything is sent."""

from pathlib import Path

import pytest

from bridge.cli.messages import _send_once
from bridge.errors import BridgeError, ConfigError
from tests.config.files import loaded, mistakes, warnings
from tests.fakes import an_event

TOKEN = "'123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11'"
SOURCES = "sources: {marzban: {panel: marzban, secret: a-secret}}\n"
TWO = "sources: {marzban: {panel: marzban, secret: a-secret}, wg: {panel: rebecca, secret: a-secret}}\n"
DIRECTORY = "directory: {owners: {r7: {telegram: -1007}}}\n"
ROUTES = "routes: [{to: dm}]\n"


def sink(chat: str, more: str = "") -> str:
    return f"sinks:\n  dm: {{type: telegram, token: {TOKEN}, chat_id: '{chat}'{more}}}\n"


@pytest.mark.parametrize(
    ("chat", "said"),
    [
        ("{{ owner.telegram }", "cannot be read: unexpected '}'"),
        (
            "{{ ownr.telegram }}",
            "speaks of ownr, which is not there: there are data, type, source, panel, owner, node, person",
        ),
        (
            "{{ event.data.owner }}",
            "speaks of event, which is not there: there are data, type, source, panel, owner, node, person",
        ),
        (
            "{{ native.x }}",
            "speaks of native, which is not there: there are data, type, source, panel, owner, node, person",
        ),
        ("{{ data }}", "speaks of data as a whole: name what of it is meant, as in data.node.name"),
        ("{{ data[type] }}", "speaks of data as a whole: name what of it is meant, as in data.node.name"),
        ("{% set x = data %}{{ x.user.id }}", "should have no {% … %}: write what is meant as {{ … }}"),
        ("{{ owner.telegram or node.telegram }}", 'speaks of both "node" and "owner": a sink is for one of them'),
        (
            "{{ owner.telgram }}",
            '"telgram" is not known of owner: did you mean "telegram"? Own keys begin with x_',
        ),
    ],
)
def test_an_expression_that_cannot_be_meant_is_told(tmp_path: Path, chat: str, said: str) -> None:
    [found] = mistakes(tmp_path, SOURCES + DIRECTORY + sink(chat) + ROUTES)
    assert found.startswith("config.yaml:4:")
    assert 'sink "dm": chat_id' in found
    assert found.endswith(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            SOURCES + sink("{{ owner.telegram }}") + ROUTES,
            'config.yaml:3:7: sink "dm": its owners are looked up in directory, and there is none',
        ),
        (
            SOURCES + DIRECTORY + sink("{{ owner.telegram }}", ", unknown: default") + ROUTES,
            'config.yaml:4:118: sink "dm": unknown needs a record under directory.default',
        ),
        (
            TWO + DIRECTORY + sink("{{ owner.telegram }}") + ROUTES,
            "config.yaml:2:12: directory needs realm, for there are several: marzban, wg",
        ),
        (
            TWO + "directory: {realm: wgg, owners: {}}\n" + sink("{{ owner.telegram }}") + ROUTES,
            'config.yaml:2:20: directory.realm: no source has the realm "wgg": there are marzban, wg',
        ),
        (
            SOURCES + DIRECTORY + sink("{{ owner.telegram }}") + "  ops: {type: console}\n"
            "routes: [{to: ops, fallback: dm}]\n",
            'config.yaml:6:30: route 1: "dm" has an address for each owner: let it fall back to one of yours',
        ),
        (
            SOURCES + sink("{{ data.user.telegram_id }}") + ROUTES,
            'config.yaml:4:15: route 1: sink "dm" is addressed to users: the row needs audience: user',
        ),
        (
            SOURCES + "sinks: {dm: {type: console}}\nroutes: [{to: dm, audience: user}]\n",
            'config.yaml:3:15: route 1: sink "dm" is not addressed to users: audience: user is for those',
        ),
        (
            SOURCES + sink("{{ data.values() }}") + "routes: [{to: dm, audience: user, update: subject}]\n",
            "config.yaml:4:43: route 1: update is not possible with audience: user",
        ),
        (
            SOURCES
            + sink("{{ data.user.telegram_id }}", ", unknown: default")
            + "routes: [{to: dm, audience: user}]\n",
            'config.yaml:3:125: sink "dm": unknown: default is not for a sink of customers: use drop',
        ),
        (
            SOURCES + "sinks: {dm: {type: ntfy, topic: 'a-{{ data.user.username }}'}}\n" + ROUTES,
            'config.yaml:2:13: sink "dm" is addressed to customers, and its service has no words for them',
        ),
        (
            SOURCES + DIRECTORY + sink("{{ owner.telegram }}") + ROUTES + "alerts: {to: dm}\n",
            'config.yaml:6:14: alerts: "dm" has an address for each owner: name one that is yours',
        ),
        (
            SOURCES + DIRECTORY + sink("{{ owner.telegram }}") + ROUTES + "reports: {day: {at: '09:00', to: dm}}\n",
            'config.yaml:6:34: reports.day: "dm" has an address for each owner: name one that is yours, '
            "or write each: owner",
        ),
        (
            SOURCES + "sinks: {dm: {type: console}}\nreports: {day: {at: '09:00', to: dm, each: owner}}\n",
            'config.yaml:3:34: reports.day: "dm" has no address for each owner: each: owner is for sinks with '
            "{{ owner.… }} in theirs",
        ),
        (
            SOURCES + "sinks: {dm: {type: webhook, url: 'https://{{ data.owner }}/in'}}\n" + ROUTES,
            'config.yaml:2:34: sink "dm": url should have scheme, host and a first part of its path before the first '
            "expression, as https://hooks.example.com/in/{{ data.owner }}",
        ),
        (
            SOURCES + DIRECTORY + "sinks: {dm: {type: slack, url: 'https://hooks.slack.com/services/T0/B0/x', "
            "channel: '{{ owner.slack }}'}}\n" + ROUTES,
            'config.yaml:3:13: sink "dm": for a channel that follows from data give a token',
        ),
        (
            SOURCES + DIRECTORY + "sinks: {dm: {type: matrix, token: a-token, room: '{{ owner.matrix }}', "
            "thread: '$first', api_base: 'https://matrix.example.com'}}\n" + ROUTES,
            'config.yaml:3:13: sink "dm": a thread is one room\'s: give both room and thread as '
            "expressions, or neither",
        ),
        (
            SOURCES + DIRECTORY + "sinks: {dm: {type: webhook, url: 'https://hooks.example.com/in', "
            "headers: {X-Room: '{{ owner.telgram }}'}}}\n" + ROUTES,
            'config.yaml:3:84: sink "dm": headers.X-Room: "telgram" is not known of owner: did you mean "telegram"? '
            "Own keys begin with x_",
        ),
        (
            SOURCES + "sinks: {dm: {type: email, server: smtp.example.com, from: a@b.c, "
            "to: '{{ data.user.email }}'}}\n" + ROUTES,
            'config.yaml:3:15: route 1: sink "dm" is addressed to users: the row needs audience: user',
        ),
        (
            SOURCES + "directory: {owners: {r7: {telegram: '@alice'}}}\n",
            "config.yaml:2:37: directory.owners.r7.telegram should be a number such as -1001234567890",
        ),
        (
            SOURCES + "directory: {owners: {r7: {telgram: 7}}}\n",
            'config.yaml:2:26: directory.owners.r7 has no key "telgram": there are telegram, thread, slack, discord, '
            "discord_thread, ntfy, email, matrix, matrix_thread, mattermost, bale, max, brand, locale, zone, quiet; "
            "own ones begin with x_",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, text) == [expected]


MAIL = (
    "sinks: {mail: {type: email, server: smtp.example.com, from: a@b.c, to: '{{ owner.email }}', unknown: default}}\n"
)
GROUPS = sink("{{ owner.telegram or owner.x_old }}", ", message_thread_id: '{{ owner.thread }}'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "directory: {owners: {r7: {email: 'bob@'}}, default: {email: ops@example.com}}\n" + MAIL,
            'config.yaml:2:34: directory.owners.r7.email should be an address such as ops@example.com, for sink "mail"',
        ),
        (
            "directory: {default: {email: ops}}\n" + MAIL,
            'config.yaml:2:30: directory.default.email should be an address such as ops@example.com, for sink "mail"',
        ),
        (
            "directory: {owners: {r7: {telegram: 1, thread: 99999999999}}}\n" + GROUPS,
            'config.yaml:2:48: directory.owners.r7.thread should be the number of a topic, for sink "dm"',
        ),
        (
            "directory: {owners: {r7: {locale: de}}}\n" + GROUPS,
            "config.yaml:2:35: directory.owners.r7.locale should be en, fa or ru",
        ),
    ],
)
def test_what_is_no_address_for_the_sink_that_reads_it_is_told(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, SOURCES + text + "routes: []\n") == [expected]


@pytest.mark.parametrize(
    "directory",
    [
        "directory: {users: {r7: {email: 'bob@'}}, owners: {r7: {slack: general}}, default: {email: a@b.c}}\n" + MAIL,
        "directory: {owners: {r7: {email: 'bob@'}}}\n" + sink("{{ owner.x_at ~ owner.email }}"),
    ],
    ids=["what nothing reads", "what an expression may make an address of"],
)
def test_what_may_be_an_address_after_all_is_none_of_checks_business(tmp_path: Path, directory: str) -> None:
    assert loaded(tmp_path, SOURCES + directory + "routes: []\n").config.directory is not None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "d.csv",
            "kind,name,realm,email,locale\nowner,r7,,bob@,\nowner,r8,wgg,a@b.c,de\n",
            [
                '2:11: owner "r7": email: should be an address such as ops@example.com, for sink "mail"',
                '3:10: owner "r8": realm: no source has the realm "wgg"',
                '3:20: owner "r8": locale: should be en, fa or ru',
            ],
        ),
        (
            "d.yaml",
            "owners:\n  r7: {email: bob@}\n  r8:\n    realm: wgg\n    locale: de\n",
            [
                '2:15: owner "r7": email: should be an address such as ops@example.com, for sink "mail"',
                '4:12: owner "r8": realm: no source has the realm "wgg"',
                '5:13: owner "r8": locale: should be en, fa or ru',
            ],
        ),
    ],
)
def test_so_it_is_in_the_directorys_file(tmp_path: Path, name: str, text: str, expected: list[str]) -> None:
    (tmp_path / name).write_text(text)
    directory = f"directory: {{file: {name}, default: {{email: ops@example.com}}}}\n"
    assert mistakes(tmp_path, SOURCES + directory + MAIL + "routes: []\n") == [f"{name}:{one}" for one in expected]


def test_of_a_file_without_end_the_first_mistakes_are_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("kind,name,email\n" + "".join(f"owner,r{n},@\n" for n in range(50)))
    directory = "directory: {file: d.csv, default: {email: ops@example.com}}\n"
    assert len(mistakes(tmp_path, SOURCES + directory + MAIL)) == 20


def test_what_a_file_lacks_that_was_not_read_to_its_end_is_not_known(tmp_path: Path) -> None:
    lines = ["kind,name,email", *(f"owner,r{n},@" for n in range(20)), "owner,reseller-7,r@example.com"]
    page = "admin: {token: ten-0123456789abcdef, owners: {reseller-7: {token: one-0123456789abcdef}, r1x: {token: "
    text = SOURCES + "directory: {file: d.csv}\n" + page + "two-0123456789abcdef}}}\n" + MAIL
    for read_whole, number in ((True, 19), (False, 20)):
        (tmp_path / "d.csv").write_text("\n".join([*lines[: number + 1], lines[-1]]) + "\n")
        with pytest.raises(ConfigError) as told:
            loaded(tmp_path, text)
        doubts = [one for one in told.value.warnings if "is no owner of the directory" in one.text]
        assert bool(doubts) is read_whole


@pytest.mark.parametrize("file", [False, True])
def test_an_owner_whom_the_directory_knows_by_another_name_is_doubted(tmp_path: Path, file: bool) -> None:
    (tmp_path / "d.yaml").write_text("owners: {reseller-7: {telegram: 1}}\n")
    record = "file: d.yaml" if file else "owners: {reseller-7: {telegram: 1}}"
    tokens = {"reseller-7": "seven", "reseler-7": "eight", "b": "nine"}
    pages = ", ".join(f"{name}: {{token: {word}-0123456789abcdef}}" for name, word in tokens.items())
    text = f"directory: {{{record}}}\nadmin: {{token: ten-0123456789abcdef, owners: {{{pages}}}}}\n"
    assert warnings(tmp_path, SOURCES + text + "sinks: {ops: {type: console}}\nroutes: [{to: ops}]\n") == [
        '3:103: admin.owners.reseler-7 is no owner of the directory: did you mean "reseller-7"?'
    ]


def test_sources_of_one_realm_need_not_be_told_apart(tmp_path: Path) -> None:
    one = TWO.replace("secret: a-secret", "secret: a-secret, realm: shop")
    config = loaded(tmp_path, one + DIRECTORY + sink("{{ owner.telegram }}") + ROUTES).config
    assert dict(config.directory_records()) == {"shop/owner:r7": {"telegram": -1007}}


async def test_a_sample_is_not_sent_to_where_there_is_no_address_of_its_own(tmp_path: Path) -> None:
    config = loaded(tmp_path, SOURCES + DIRECTORY + sink("{{ owner.telegram }}") + ROUTES).config
    with pytest.raises(BridgeError, match='sink "dm" has an address for each owner, and no own'):
        await _send_once(config, "dm", an_event())


SEVERAL = "messages there begin with the name"


def test_a_chat_that_several_users_are_given_is_warned_of_in_the_file(tmp_path: Path) -> None:
    users = "users: {alice: {telegram: 7}, bob: {telegram: 7}, carol: {telegram: 8}}"
    text = f"directory: {{{users}, owners: {{o: {{telegram: 8}}}}}}\n"
    rest = "sinks: {ops: {type: console}}\nroutes: [{to: ops}]\n"
    expected = f"2:21: chat 7 is given to 2 users (alice, bob): {SEVERAL}"
    assert warnings(tmp_path, SOURCES + text + rest) == [expected]
    groups = text.replace("telegram: 7", "telegram: -100")  # in a group nobody is a customer
    assert warnings(tmp_path, SOURCES + groups + rest) == []


def test_a_chat_that_several_users_are_given_is_warned_of_in_the_directorys_file(tmp_path: Path) -> None:
    rows = ["bob,7", "alice,700001", "bill,700001", "sara,700001", *(f"u{n},9" for n in range(12))]
    first_ten = ", ".join(f"u{n}" for n in range(10))
    (tmp_path / "d.csv").write_text("kind,name,telegram\n" + "".join(f"user,{one}\n" for one in rows))
    text = "directory: {file: d.csv, users: {bill: {telegram: 700001}}}\n"
    rest = "sinks: {ops: {type: console}}\nroutes: [{to: ops}]\n"
    assert warnings(tmp_path, SOURCES + text + rest) == [
        f"2:34: chat 700001 is given to 3 users (bill, alice, sara): {SEVERAL}",
        f"{str(tmp_path)[1:]}/d.csv:6:1: chat 9 is given to 12 users ({first_ten}, …): {SEVERAL}",
    ]
