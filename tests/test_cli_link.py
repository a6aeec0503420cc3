"""`link` and `prefs` on the command line: what they say, what they keep, and every mistake in words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.people.chat import button_key
from bridge.people.link import hash_of, is_token
from bridge.store import open_ledger
from bridge.store.queries.audit import audit_records
from bridge.store.queries.links import put_link, use_token
from bridge.store.queries.moves import note_moved, right_of, take_back
from bridge.store.queries.wishes import wishes_of
from tests.documents import kept

ALICE, BOT = "marzban/user:alice", "telegram bot 123456789"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "panelbridge.db"
    kept.fill(file)
    return file


@pytest.fixture
def file(store: Path, tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(kept.WITH_BOT.replace("sqlite:///panelbridge.db", f"sqlite:///{store}"))
    return tmp_path / "config.yaml"


def said(file: Path, *words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, on whichever stream."""
    with pytest.raises(SystemExit):
        main([*words, "--config", str(file)])
    told = capsys.readouterr()
    return told.out + told.err


def test_a_link_is_printed_once_and_its_hash_is_kept(
    file: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, until = said(file, "link", "user:alice", capsys=capsys).splitlines()
    token = address.removeprefix("https://t.me/fravpn_bot?start=")
    assert is_token(token)
    assert len(token) <= 64
    assert until.startswith("works once, until ")
    with open_ledger(f"sqlite:///{store}") as ledger:
        now = datetime.now(UTC)
        assert ledger.write(use_token, hash_of(token), BOT, "7", now=now) == ALICE
        assert ledger.write(use_token, hash_of(token), BOT, "8", now=now) is None


def test_what_was_given_away_can_be_made_void(file: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(file, "link", "user:alice", "--revoke", capsys=capsys)
    token = said(file, "link", "user:alice", capsys=capsys).splitlines()[0].partition("=")[2]
    said(file, "link", "user:bob", capsys=capsys)
    assert said(file, "link", "user:alice", "--revoke", capsys=capsys) == "marzban/user:alice: 1 void\n"
    with open_ledger(f"sqlite:///{store}") as ledger:
        assert ledger.write(use_token, hash_of(token), BOT, "7", now=datetime.now(UTC)) is None


def moved_and_taken_back(store: Path, now: datetime) -> None:
    """Alice's link goes from chat 7 to chat 8, and back by the word of who is in 7."""
    with open_ledger(f"sqlite:///{store}") as ledger:
        ledger.write(put_link, ALICE, BOT, "7", how="token", now=now)
        ledger.write(note_moved, ALICE, BOT, now=now)
        ledger.write(put_link, ALICE, BOT, "8", how="token", now=now)
        right = ledger.read(right_of, BOT, "7", button_key(ALICE), now=now)
        assert right is not None
        assert ledger.write(take_back, right, by="themselves", now=now) == "8"


def test_a_link_is_ended_and_what_is_shown_makes_one_again_at_the_operators_word(
    file: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_and_taken_back(store, datetime.now(UTC))
    shown = said(file, "people", "user:alice", capsys=capsys)
    assert "linked     chat 7 of telegram bot 123456789" in shown
    assert ": what they show links them no more, until link --free" in shown
    assert said(file, "link", "user:alice", "--unlink", capsys=capsys) == "marzban/user:alice: 1 unlinked\n"
    assert said(file, "link", "user:alice", "--unlink", capsys=capsys) == "marzban/user:alice: 0 unlinked\n"
    assert said(file, "link", "user:alice", "--free", capsys=capsys) == (
        "marzban/user:alice: what they show links them again\n"
    )
    assert said(file, "link", "user:alice", "--free", "--json", capsys=capsys).split() == (
        ["{", '"key":', '"marzban/user:alice",', '"freed":', "false", "}"]
    )
    shown = said(file, "people", "user:alice", capsys=capsys)
    assert "linked" not in shown
    assert "not them" not in shown
    with open_ledger(f"sqlite:///{store}") as ledger:
        deeds = [one.detail for one in ledger.read(audit_records, limit=4)]
    assert deeds == [
        {"key": ALICE, "freed": False},
        {"key": ALICE, "freed": True},
        {"key": ALICE, "unlinked": 0},
        {"key": ALICE, "unlinked": 1},
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("link", "user:alice", "--unlink", "--free"), "link: one of --revoke, --unlink and --free at once"),
        (("link", "owner:reseller-7"), "link: only a customer has one: user:NAME"),
        (("link", "alice"), "say whom, as owner:NAME, node:NAME, user:NAME"),
        (("link", "user:alice", "--expire", "soon"), "expire: should be a duration"),
        (("link", "user:alice", "--expire", "5s"), "expire: should be between 1m and 366d"),
        (("prefs", "user:alice", "promo=off"), '"promo=off" is nothing that they can want: there are stop, start'),
        (("prefs", "user:alice", "news"), '"news" is nothing that they can want'),
        (("prefs", "user:alice", "news=maybe"), "news: should be on or off"),
        (("prefs", "user:alice", "locale=de"), "locale: should be en, fa, ru"),
        (("prefs", "user:alice", "zone=Tehran"), "zone: should be a time zone: did you mean Asia/Tehran?"),
        (("prefs", "user:alice", "quiet=night"), "quiet: should be two times of the day"),
    ],
)
def test_every_mistake_is_told_in_words(
    file: Path, words: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(file, *words, capsys=capsys)
    assert expected in told
    assert "Traceback" not in told


def test_without_a_bot_that_is_heard_there_is_no_link(
    file: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(kept.CONFIG.replace("sqlite:///panelbridge.db", f"sqlite:///{store}"))
    assert said(file, "link", "user:alice", capsys=capsys) == (
        "link: no bot is heard: name the sink of one in people.bot\n"
    )


def test_what_somebody_wants_is_kept_and_shown_and_taken_back(
    file: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(file, "prefs", "user:bob", "news=off", "locale=fa", "quiet=22:00-09:00", "stop", capsys=capsys)
    assert told.splitlines() == [
        "marzban/user:bob: is told nothing any more",
        "marzban/user:bob: news off",
        "marzban/user:bob: locale fa",
        "marzban/user:bob: quiet 22:00-09:00",
    ]
    shown = said(file, "people", "user:bob", capsys=capsys)
    assert "said by operator · news off · locale fa · quiet 22:00-09:00" in shown
    said(file, "prefs", "user:bob", "news=", "locale=", "quiet=", "start", capsys=capsys)
    with open_ledger(f"sqlite:///{store}") as ledger:
        wants = ledger.read(wishes_of, ["marzban/user:bob"])["marzban/user:bob"].wants
    assert (wants.stopped, wants.to_json()) == (False, {})


def test_it_is_said_how_the_bot_is_heard(file: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "@fravpn_bot: is heard" in said(file, "people", capsys=capsys)
    file.write_text(file.read_text().replace("123456789:", "987654321:"))
    assert "telegram bot 987654321: was not listened to yet" in said(file, "people", capsys=capsys)
    file.write_text(kept.CONFIG.replace("sqlite:///panelbridge.db", f"sqlite:///{store}"))
    assert "bot" not in said(file, "people", capsys=capsys)
