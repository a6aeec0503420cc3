"""Which brand speaks is said of people, of an event, and of an announcement before it is sent."""

import json
from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.intake import Intake
from bridge.people.directory import overview_of
from bridge.routing import Router
from bridge.store import open_ledger, open_outbox
from bridge.store.queries.links import put_link
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.commands import Run, typed_by
from tests.fakes import START, an_event

HIS = 'chat_id: "{{{{ person.telegram }}}}"'
FILE = f"""
timezone: UTC
sources: {{{{marzban: {{{{panel: marzban, secret: none-at-all-0123}}}}}}}}
sinks:
  dm: {{{{type: telegram, token: "123456:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {HIS}}}}}
  seven-bot: {{{{type: telegram, token: "777777:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {HIS}}}}}
  nine-bot: {{{{type: telegram, token: "999999:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {HIS}, enabled: false}}}}
routes: [{{{{match: user.*, to: dm, audience: user}}}}]
people:
  name: Fra VPN
  brands:
    seven: {{{{name: Seven Net, locale: fa, sinks: {{{{dm: seven-bot}}}}}}}}
    nine: {{{{name: Nine, sinks: {{{{dm: nine-bot}}}}}}}}
    plain: {{{{name: Plain}}}}
directory:
  owners: {{{{r7: {{{{brand: seven}}}}, r8: {{{{brand: seven}}}}, r9: {{{{brand: nine}}}}, p: {{{{brand: plain}}}}}}}}
  users: {{{{alice: {{{{telegram: 1}}}}, bob: {{{{telegram: 2, locale: ru}}}}, carol: {{{{telegram: 3}}}},
          dave: {{{{telegram: 4}}}}, erin: {{{{telegram: 5}}}}}}}}
store: {{store}}
"""
#: Whose they are; erin is nobody's, frank's only address is a chat that he has linked with the file's own bot.
OWNERS = {"alice": "r7", "bob": "r8", "carol": "p", "dave": "r9", "erin": None, "frank": "r7"}
NEW = ("announce", "--sink", "dm", "--text-file", "soon.j2", "--to")


@pytest.fixture
async def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Type it over a store that knows whose customers they are by an event about each."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(FILE.format(store=store_url))
    (tmp_path / "soon.j2").write_text("{% block en %}Soon, {{ me.name }}{% endblock %}{% block fa %}زود{% endblock %}")
    config = load(file, {}).config
    router = Router(config.table(), sinks=config.all_sinks(), recipients=config.recipients())
    async with open_outbox(store_url) as outbox:
        await outbox.keep_directory(overview_of(config.directory_records()).generation, config.directory_records())
        for name, owner in OWNERS.items():
            data = {"user": {"username": name}} | ({"owner": owner} if owner else {})
            event = replace(an_event(f"user:{name}", type_="user.expired"), data=data, id=f"0198-{name}")
            await outbox.put(Intake([router.route(event)], realm="marzban"))
    with open_ledger(store_url) as ledger:
        ledger.write(put_link, "marzban/user:frank", "telegram bot 123456", "6", how="token", now=START)
    run_ = typed_by(capsys)
    return lambda *words: run_(words[0], "-c", file, *words[1:])


def of_announcements(store_url: str) -> dict[str, tuple[str, str | None]]:
    with open_ledger(store_url) as ledger:
        found = ledger.read(delivery_records, DeliveryQuery(limit=None))
    return {one.subject or "": (one.sink, one.brand) for one in found if one.row.startswith("announcement")}


def test_people_are_told_with_who_speaks_to_them(run: Run) -> None:
    _, out, _ = run("people")
    assert out.splitlines()[1:] == [
        "brand      seven, to the customers of 2 owners",
        "brand      nine, to the customers of 1 owner",
        "brand      plain, to the customers of 1 owner",
    ]
    for name, said in {
        "alice": "owner      r7, brand seven",
        "carol": "owner      p, brand plain",
    }.items():
        assert said in run("people", f"user:{name}")[1].splitlines()
    assert "owner " not in run("people", "user:erin")[1]


@pytest.mark.parametrize(
    ("name", "reach"),
    [
        ("alice", [("seven-bot", "directory")]),
        ("carol", [("dm", "directory")]),
        ("erin", [("dm", "directory")]),
        ("frank", [("seven-bot", None)]),  # his chat is one of the file's own bot
    ],
)
def test_somebody_is_reached_by_the_sinks_of_who_speaks_to_them(
    run: Run, name: str, reach: list[tuple[str, str | None]]
) -> None:
    found = json.loads(run("people", f"user:{name}", "--json")[1])
    assert [(one["sink"], one["how"]) for one in found["reach"]] == reach
    assert [one["bot"] for one in found["links"]] == (["telegram bot 123456"] if name == "frank" else [])


def test_an_event_is_explained_with_who_spoke(run: Run) -> None:
    for name, (sink, brand) in {
        "alice": ("seven-bot", "seven"),
        "carol": ("dm", "plain"),
        "erin": ("dm", None),
    }.items():
        _, out, _ = run("explain", f"user:{name}")
        assert (f"brand {brand}" in out) is (brand is not None)
        [fate] = json.loads(run("explain", f"user:{name}", "--json")[1])["fates"]
        assert (fate["sink"], fate["brand"]) == (sink, brand)


def test_an_announcement_says_who_speaks_and_what_each_of_them_reads(run: Run, store_url: str) -> None:
    status, out, err = run(*NEW, "all", "--dry-run", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["reached"], told["unreached"]) == (4, 2)  # nine's bot is disabled, and frank has not pressed Start
    assert {who: words.replace("\u200f", "") for who, words in told["previews"].items()} == {
        "fa, brand seven": "زود\n\n\u2068Seven Net\u2069",
        "ru, brand seven": "Soon, bob\n\nSeven Net",
        "en, brand plain": "Soon, carol\n\nPlain",
        "en": "Soon, erin\n\nFra VPN",
    }
    assert of_announcements(store_url) == {}


def test_to_an_owners_customers_the_owners_brand_speaks(run: Run, store_url: str) -> None:
    _, out, _ = run(*NEW, "owner:r7", "--dry-run")
    assert "fa, brand seven, 1:" in out
    assert run(*NEW, "all", "--yes")[0] == 0
    assert of_announcements(store_url) == {
        "user:alice": ("seven-bot", "seven"),
        "user:bob": ("seven-bot", "seven"),
        "user:carol": ("dm", "plain"),
        "user:erin": ("dm", None),
    }


def test_by_a_brands_own_sink_nothing_is_announced_to_everybody(run: Run) -> None:
    status, _, err = run("announce", "--sink", "seven-bot", "--text-file", "soon.j2", "--to", "all", "--yes")
    assert status == 1
    assert err == 'announce: "seven-bot" is that of brand "seven" alone: name the sink that it stands in for\n'


def test_what_an_owners_customer_would_be_told_is_shown_as_the_brand_says_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text(
        json.dumps(
            [
                {
                    "action": "user_expired",
                    "username": "alice",
                    "user": {"username": "alice", "admin": {"username": "r7"}},
                }
            ]
        )
    )
    _, out, err = run("render", "--file", "body.json", "--source", "marzban")
    assert "Seven Net" in out, (out, err)
