"""`announce` on the command line: whom it counts, what it shows and asks, and every mistake in words."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.admin.people import drafts
from bridge.admin.people.announcing import _is_meant
from bridge.people.wants import chat_scope, mailbox_scope
from bridge.store import open_ledger, open_outbox
from bridge.store.queries.audit import audit_records
from bridge.store.queries.links import put_link
from bridge.store.queries.records import delivery_records
from bridge.store.queries.wishes import set_wants
from bridge.store.records import DeliveryQuery
from tests.commands import Run, typed_by
from tests.fakes import START
from tests.store.announcing import make_uncertain

FILE = """
timezone: UTC
sources:
  marzban: {{panel: marzban, secret: none-at-all-0123}}
  second: {{panel: marzban, secret: none-at-all-0124, realm: other}}
sinks:
  ops: {{type: console}}
  dm: {{type: telegram, token: "123456:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", chat_id: "{{{{ person.telegram }}}}"}}
  mail: {{type: email, server: 127.0.0.1, from: vpn@example.com, to: "{{{{ person.email }}}}"}}
routes: [{{match: user.*, to: dm, audience: user}}]
directory: {{realm: marzban, users: {{alice: {{telegram: 1}}}}}}
store: {store}
"""
BY = ("announce", "--sink", "dm", "--to", "all", "--template")
NEW = ("announce", "--sink", "dm", "--text-file", "soon.j2", "--to")


@pytest.fixture
async def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Type it over a store that knows alice and bob, carol without an address, dave by a link, and another alice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(FILE.format(store=store_url))
    (tmp_path / "soon.j2").write_text("{% block en %}Soon, {{ me.name }}{% endblock %}{% block fa %}زود{% endblock %}")
    records = {"alice": {"telegram": 1, "locale": "fa"}, "bob": {"telegram": 2}, "carol": {"email": "c@example.com"}}
    known = [(f"marzban/user:{name}", record) for name, record in records.items()]
    others = [("other/user:alice", {"telegram": 4}), ("marzban/owner:r7", {"telegram": 5}), ("default", {})]
    async with open_outbox(store_url) as outbox:
        await outbox.keep_directory("1", [*known, *others])
    with open_ledger(store_url) as ledger:
        ledger.write(put_link, "marzban/user:dave", "telegram bot 123456", "6", how="token", now=START)
    run_ = typed_by(capsys)
    return lambda *words: run_(words[0], "-c", tmp_path / "config.yaml", *words[1:])


def recipients(store_url: str) -> int:
    with open_ledger(store_url) as ledger:
        return len(ledger.read(delivery_records, DeliveryQuery(limit=None)))


@pytest.mark.parametrize(
    ("to", "reached", "unreached"),
    [
        (["all"], 4, 1),
        (["realm:marzban"], 3, 1),
        (["source:second"], 1, 0),
        (["user:alice"], 1, 0),
        (["user:alice", "realm:marzban", "user:alice"], 3, 1),
    ],
)
def test_those_are_counted_who_are_meant_and_can_be_reached(
    run: Run, store_url: str, to: list[str], reached: int, unreached: int
) -> None:
    words = [word for one in to for word in ("--to", one)][1:]
    status, out, err = run(*NEW, *words, "--realm", "marzban", "--dry-run", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["id"], told["reached"], told["unreached"]) == (None, reached, unreached)
    assert recipients(store_url) == 0


@given(chosen=st.sets(st.sampled_from(["all", "realm:a", "realm:b", "a/owner:o", "a/user:x", "b/user:x", "a/user:y"])))
def test_whoever_is_meant_is_named_by_one_of_them_and_nobody_else(chosen: set[str]) -> None:
    owned = {"a/owner:o": {"a/user:y", "a/user:z"}} if "a/owner:o" in chosen else {}
    for key in ("a/user:x", "a/user:y", "a/user:z", "b/user:x", "b/user:y"):
        named = {"all", f"realm:{key[0]}", key} | ({"a/owner:o"} if key in ("a/user:y", "a/user:z") else set())
        assert _is_meant(key, sorted(chosen), owned) == bool(named & chosen)


def test_it_is_shown_in_their_languages_and_asked_for_the_number(
    run: Run, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = run(*NEW, "all")
    shown = re.sub("Soon, (alice|bob|dave)", "Soon, NAME", out.replace("\u200f", ""))
    assert shown == "4 people · 1 without an address\n\nen, 3:\n  Soon, NAME\n\nfa, 1:\n  زود\n\n"
    assert (status, err) == (1, "announce: nothing is sent: say --yes, or answer on a terminal\n")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "5")
    assert run(*NEW, "all")[2] == "announce: nothing is sent: that is another number\n"
    assert recipients(store_url) == 0
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "4")
    assert run(*NEW, "all")[0] == 0
    assert recipients(store_url) == 4
    with open_ledger(store_url) as ledger:
        [line] = ledger.read(audit_records, limit=5)
    assert (line.action, line.detail) == (
        "announce",
        {"announcement": 1, "sink": "dm", "people": 4, "category": "news"},
    )


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((), "🛠 We are working on the servers."),
        (("--start", "2026-12-01 02:00"), "🛠 From 2026-12-01 02:00 on we work on the servers."),
        (("--start", "2026-12-01 02:00", "--end", "02:30"), "🛠 From 2026-12-01 02:00 to 02:30 we work on the servers."),
        (("--start", "2026-12-01 23:30", "--end", "00:30"), "🛠 From 2026-12-01 23:30 to 00:30 we work on the servers."),
    ],
)
def test_a_template_is_had_by_its_name_with_its_times(run: Run, times: tuple[str, ...], said: str) -> None:
    status, out, err = run(*BY, "maintenance", *times, "--dry-run", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)["previews"]
    assert re.sub("[\u2066-\u2069]", "", told["en"]).startswith(said)
    assert "کار می‌کنیم" in told["fa"]


def test_the_operators_own_template_comes_before_the_shipped_one(run: Run, tmp_path: Path, store_url: str) -> None:
    folder = tmp_path / "mine" / "announcements"
    folder.mkdir(parents=True)
    (folder / "maintenance.j2").write_text("{% block en %}Ours{% endblock %}")
    (folder / "prices.j2").write_text("{% block en %}Prices{% endblock %}")
    (tmp_path / "config.yaml").write_text(FILE.format(store=store_url) + "templates: mine\n")
    for name, said in (("maintenance", "Ours"), ("prices", "Prices")):
        assert json.loads(run(*BY, name, "--dry-run", "--json")[1])["previews"]["en"] == said


def test_of_a_letter_the_words_are_shown(run: Run) -> None:
    status, out, err = run(*NEW, "user:carol", "--realm", "marzban", "--sink", "mail", "--dry-run", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["previews"] == {"en": "Soon, carol"}


def test_it_is_listed_shown_stopped_and_resumed(run: Run, store_url: str) -> None:
    assert run(*NEW, "all", "--yes")[1].endswith("announcement 1: --show 1 says who has it\n")
    [listed] = json.loads(run("announce", "--list", "--json")[1])
    assert (listed["id"], listed["chosen"], listed["counted"], listed["state"]) == (1, ["all"], 4, "put")
    assert "      4  pending" in run("announce", "--show", "1")[1]
    assert run("announce", "--stop", "1")[1] == "announcement 1 is stopped: 4 deliveries held back\n"
    assert "      4  held back: the announcement was stopped" in run("announce", "--show", "1")[1]
    assert run("announce", "--resume", "1")[1] == "announcement 1 goes on: 4 deliveries that had been held back\n"
    assert "      4  waiting" in run("announce", "--show", "1")[1]
    assert run("announce", "--retry", "1")[1] == (
        "announcement 1: 0 deliveries of those that were uncertain on the way once more\n"
    )
    with open_ledger(store_url) as ledger:
        [first, *others] = make_uncertain(ledger, 1)
    assert f": announce --retry 1 --delivery {first} sends it once more" in run("announce", "--show", "1")[1]
    assert run("announce", "--retry", "1", "--delivery", "99")[2] == (
        "announce: delivery 99 is none of announcement 1 that is uncertain\n"
    )
    one = run("announce", "--retry", "1", "--delivery", str(first), "--json")[1]
    assert json.loads(one) == {"id": 1, "retried": 1}
    run("announce", "--stop", "1")
    assert run("announce", "--retry", "1")[2] == "announce: announcement 1 is stopped: resume it first\n"
    run("announce", "--resume", "1")
    assert run("announce", "--retry", "1")[1].startswith(f"announcement 1: {len(others)} deliveries of those")
    with open_ledger(store_url) as ledger:
        deeds = [one.detail for one in ledger.read(audit_records, limit=9) if one.action == "announce retry"]
    assert [one["deliveries"] for one in deeds] == [3, 1, 0]
    assert recipients(store_url) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("announce",), "announce: say --to, --sink and --text-file or --template; or one"),
        (("announce", "--list", "--show", "1"), "announce: say --to, --sink and --text-file or --template; or one of"),
        (
            ("announce", "--to", "all"),
            "announce: say whom with --to, by which --sink, and what with --text-file or --template",
        ),
        ((*NEW, "everybody"), 'announce: "everybody" is nobody: say all, user:NAME'),
        ((*NEW, "realm:marzbna"), 'announce: no realm named "marzbna": did you mean "marzban"?'),
        ((*NEW, "source:nope"), 'announce: no source named "nope"'),
        ((*NEW, "user:alice"), "say of which realm: marzban, other"),
        ((*NEW, "user:nobody", "--realm", "marzban"), "announce: nobody is meant by that whom this sink reaches"),
        ((*NEW, "all", "--category", "gossip"), "announce: category should be reminders, status, news"),
        ((*NEW, "all", "--sink", "ops"), 'announce: "ops" is no sink of customers: its address should speak of person'),
        ((*NEW, "all", "--sink", "nope"), 'no sink named "nope"'),
        ((*NEW, "all", "--text-file", "none.j2"), "announce: none.j2: No such file or directory"),
        ((*BY, "maintenanse"), 'announce: no template is called "maintenanse": did you mean "maintenance"?'),
        ((*BY, "../maintenance"), 'announce: no template is called "../maintenance"'),
        ((*BY, "maintenance", "--start", "tonight"), "announce: --start should be a time such as 2026-12-01 02:00"),
        (
            (*BY, "maintenance", "--start", "9999-12-31 23:30", "--end", "00:30"),
            "announce: --end is after the last day of the calendar",
        ),
        ((*BY, "maintenance", "--text-file", "soon.j2"), "announce: say whom with --to, by which --sink"),
        ((*NEW, "all", "--start", "2026-12-01 02:00"), "announce: say whom with --to, by which --sink"),
        (("announce", "--show", "7"), "announce: there is no announcement 7"),
        (("announce", "--stop", "7"), "announce: there is no announcement 7"),
        (("announce", "--resume", "7"), "announce: there is no announcement 7"),
        (("announce", "--retry", "7"), "announce: there is no announcement 7"),
        (("announce", "--show", "7", "--delivery", "1"), "announce: --delivery goes with --retry"),
    ],
)
def test_what_is_wrong_is_told_in_words(run: Run, store_url: str, words: tuple[str, ...], said: str) -> None:
    status, _, err = run(*words)
    assert err.startswith(said)
    assert status in (1, 2)
    assert recipients(store_url) == 0


@pytest.mark.parametrize(
    "text",
    [
        "{{ me.name",
        "{{ data.user }}{{ 1 / 0 }}",
        "{{ event.id.x.y }}",
        "  ",
        "{% block fa %}x{% endblock %}{% block en %}{% endblock %}",
    ],
)
def test_a_template_that_fails_for_anybody_is_told_before_anything_is_made(
    run: Run, store_url: str, tmp_path: Path, text: str
) -> None:
    (tmp_path / "soon.j2").write_text(text)
    status, _, err = run(*NEW, "all", "--yes")
    assert err.startswith("announce: the template fails for ")
    assert (status, recipients(store_url)) == (1, 0)
    assert json.loads(run("announce", "--list", "--json")[1]) == []


@pytest.mark.parametrize(
    "whose",
    [
        "marzban/user:bob",
        chat_scope("telegram bot 123456", "2"),  # the chat that the directory names
        chat_scope("telegram bot 123456", "6"),  # the chat that is linked
    ],
)
def test_it_is_tried_in_the_language_that_somebody_has_chosen(
    run: Run, store_url: str, tmp_path: Path, whose: str
) -> None:
    (tmp_path / "soon.j2").write_text("{% block en %}Soon{% endblock %}{% block ru %}{{ me.name.x.y }}{% endblock %}")
    assert run(*NEW, "all", "--dry-run")[0] == 0
    with open_ledger(store_url) as ledger:
        ledger.write(set_wants, whose, {"locale": "ru"}, by="themselves", now=START)
    status, _, err = run(*NEW, "all", "--yes")
    assert err.startswith("announce: the template fails for ru: ")
    assert (status, recipients(store_url)) == (1, 0)


def test_it_is_tried_for_all_however_few_are_shown(
    run: Run, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "LANGUAGES", 1)
    assert set(json.loads(run(*NEW, "all", "--dry-run", "--json")[1])["previews"]) == {"en"}
    (tmp_path / "soon.j2").write_text("{% block en %}Soon{% endblock %}{% block fa %}{{ me.name.x.y }}{% endblock %}")
    assert run(*NEW, "all", "--yes")[2].startswith("announce: the template fails for fa: ")
    assert recipients(store_url) == 0


def test_what_is_chosen_where_a_message_goes_comes_before_their_own_word_and_that_before_their_record(
    run: Run, store_url: str
) -> None:
    def languages() -> set[str]:
        return set(json.loads(run(*NEW, "all", "--dry-run", "--json")[1])["previews"])

    assert languages() == {"en", "fa"}
    with open_ledger(store_url) as ledger:
        ledger.write(set_wants, "marzban/user:alice", {"locale": "ru"}, by="operator", now=START)
        assert languages() == {"en", "ru"}
        ledger.write(set_wants, chat_scope("telegram bot 123456", "1"), {"locale": "en"}, by="themselves", now=START)
        assert languages() == {"en"}
        ledger.write(set_wants, mailbox_scope("1"), {"locale": "fa"}, by="themselves", now=START)
    assert languages() == {"en"}
