"""The laws of a run catch what they are there for: each is broken once, and held once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.chaos import laws
from tests.chaos.laws import breaches
from tests.chaos.log import BUGS, Log
from tests.chaos.plan import LASTS, STORE, WHOLE, Fault, Plan, Step, Store, a_plan
from tests.chaos.report import report
from tests.chaos.sinks import said
from tests.chaos.story import Asked, Exit, Period, Promise, StoredDelivery, Story, Told

Law = Callable[[Story], Iterator[str]]
CALM = Plan(7, 60.0, "sqlite", 1, ())


def a_story(*steps: Step, plan: Plan = CALM) -> Story:
    """A run in which all went well: three events about one user, told to the shop."""
    story = Story(replace(plan, steps=steps), list(steps))
    for number in range(1, 4):
        mark, event = f"u1.{number}", f"event-{number}"
        story.promised.append(Promise(mark, ("shop",), 9.9 + number, 10.0 + number))
        story.told.append(Told("shop", event, mark, 10.0 + number))
        story.asked.append(Asked("shop", 10.0 + number, 202, 10.0 + number))
        story.kept.append(StoredDelivery(number, event, mark, "shop", "delivered"))
    story.exits.append(Exit("replica 1", 60.0, 60.0, 0, "SIGTERM"))
    story.answers, story.logs = Counter({200: 3, 503: 1}), {"replica 1": "info app.started"}
    return story


def asks(sink: str, *times: float, wait: float = 0.0) -> list[Asked]:
    return [Asked(sink, at, 429 if wait else 200, at, wait) for at in times]


def tell_as_one(sink: str) -> Callable[[Story], None]:
    """An event that was kept twice is told once."""

    def change(story: Story) -> None:
        story.promised.append(Promise("a1.1", (sink,)))
        story.told.append(Told(sink, "event-8", "a1.1", 30.0))
        story.kept += [StoredDelivery(number, f"event-{number}", "a1.1", sink, "delivered") for number in (8, 9)]

    return change


def settle(state: str, reason: str | None = None, sink: str = "shop") -> Callable[[Story], None]:
    """The second event comes to this end instead."""

    def change(story: Story) -> None:
        story.kept[1] = replace(story.kept[1], state=state, reason=reason, sink=sink)
        story.told = [one for one in story.told if one.mark != "u1.2"]

    return change


def tell(*numbers: int, lost: bool = False) -> Callable[[Story], None]:
    """The shop is told these events, in this order."""

    def change(story: Story) -> None:
        story.told = [Told("shop", f"event-{n}", f"u1.{n}", 20.0 + i, lost) for i, n in enumerate(numbers)]

    return change


def ask(*asked: Asked) -> Callable[[Story], None]:
    return lambda story: story.asked.extend(asked)


def end(
    code: int, asked: str | None, *, at: float = 30.0, lived: float = 20.0, started: bool = True
) -> Callable[[Story], None]:
    return lambda story: story.exits.append(Exit("replica 1", at, lived, code, asked, started))


def absent(began: float, ended: float, *, unsaid: str = "") -> Callable[[Story], None]:
    """Files of the store were away, and the log said all of it but this."""

    def change(story: Story) -> None:
        story.absent.append(Period(began, ended, "panelbridge.db-wal"))
        story.unsaid += [(began, unsaid)] if unsaid else []

    return change


def quiet(mode: str, *times: float) -> Callable[[Story], None]:
    """Quiet hours were in force from 10 s to 30 s, and the sink was asked at these times."""

    def change(story: Story) -> None:
        story.quiet.append(Period(10.0, 30.0, mode))
        story.asked += asks("night", *times)

    return change


def replay(*, kept: bool = True, told: int = 1) -> Callable[[Story], None]:
    """The second event was sent again, as delivery 9, and arrived so often."""

    def change(story: Story) -> None:
        story.replayed.append((0, 9))
        if kept:
            story.kept.append(replace(story.kept[1], id=9, replay_of=2))
        story.told += [Told("shop", "event-2", "u1.2", 40.0 + n, replay=True) for n in range(told)]

    return change


def drop(story: Story) -> None:
    """An event fell into quiet hours."""
    story.kept.append(StoredDelivery(9, "event-9", "n1.1", "night", "held_back", "quiet hours"))


def delete(story: Story) -> None:
    """The store was deleted while the second event was answered; the third is in a new one."""
    story.deleted.append(Period(11.85, 11.89))
    story.anew.append(Period(11.85, 12.5))
    story.kept = [story.kept[0], replace(story.kept[2], id=1, store=1)]
    story.told = [story.told[0], story.told[2]]


def test_a_run_in_which_all_went_well_breaks_no_law() -> None:
    assert breaches(a_story()) == []


BROKEN: Iterable[tuple[Law, Callable[[Story], object]]] = [
    (laws.nothing_is_lost, lambda story: story.kept.pop()),
    (laws.nothing_is_lost, lambda story: story.told.pop()),
    (laws.nothing_is_lost, settle("dead")),
    (laws.nothing_is_lost, settle("held_back", "")),
    (laws.nothing_waits_for_ever, settle("pending")),
    (laws.nothing_waits_for_ever, settle("waiting", "HTTP 500")),
    (laws.who_is_told_instead_is_told, settle("dead", "HTTP 400", sink="flaky")),
    (laws.what_is_taken_back_is_a_pair, settle("held_back", "cancelled out by delivery 3, node.connection_lost")),
    (laws.order_holds, tell(1, 3, 2)),
    (laws.order_holds, tell(2, 3, 1, 2, 3)),
    (laws.repeats_are_bounded, tell(1, 1, 2, 3)),
    (laws.a_repeat_of_the_panel_is_told_once, lambda s: s.kept.append(replace(s.kept[0], id=9, event="event-9"))),
    (laws.limits_are_kept, ask(*asks("group", 10.0, 10.6))),
    (laws.limits_are_kept, ask(*asks("chat", *(10 + 1.9 * n for n in range(31))))),
    (laws.limits_are_kept, ask(*asks("chat", *(10 + 0.3 * n for n in range(6))))),
    (laws.waits_are_honoured, ask(*asks("fast", 10.0, wait=3.0), *asks("fast", 12.0))),
    (laws.nothing_is_lost, tell_as_one("shop")),
    (laws.nothing_is_lost, replay(told=0)),
    (laws.nothing_is_lost, lambda story: (delete(story), story.kept.pop())),
    (laws.nothing_is_lost, lambda story: (delete(story), story.kept.pop(0))),
    (laws.repeats_are_bounded, replay(told=2)),
    (laws.what_is_replayed_is_sent_again, replay(kept=False)),
    (laws.what_is_taken_back_is_a_pair, drop),
    (laws.quiet_hours_are_kept, quiet("hold", 20.0)),
    (laws.quiet_hours_are_kept, quiet("drop", 20.0)),
    (laws.a_store_that_is_taken_away_takes_nothing, absent(10.5, 13.5)),
    (laws.a_store_that_is_taken_away_takes_nothing, absent(30.0, 33.0, unsaid="panelbridge.db-wal was away")),
    (laws.strangers_are_refused, lambda story: story.strangers.update([200])),
    (laws.strangers_are_refused, lambda story: story.strangers.update([500])),
    (laws.it_goes_on, lambda story: setattr(story, "standstill", "nothing has moved from 10 s on")),
    (laws.processes_end_well, end(1, "SIGTERM")),
    (laws.processes_end_well, end(-15, "SIGTERM")),
    (laws.processes_end_well, end(-11, None)),
    (laws.processes_end_well, end(1, None)),
    (laws.processes_end_well, end(1, None, started=False)),
    (laws.the_door_answers_200_or_503, lambda story: story.answers.update([500])),
    (laws.logs_show_no_bug, lambda story: story.logs.update({"replica 1": "error delivery.bug\n    Traceback"})),
]


@pytest.mark.parametrize(("law", "change"), BROKEN)
def test_a_law_notices_when_it_is_broken(law: Law, change: Callable[[Story], object]) -> None:
    story = a_story()
    story.once = {"u1.1"}
    change(story)
    found = list(law(story))
    assert found
    assert set(found) <= set(breaches(story))


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.BUSY_ZERO, Fault.LIMIT_ZERO, Fault.GONE])
def test_hammering_is_noticed(fault: Fault) -> None:
    story = a_story(Step(10.0, fault, "nodes", 4.0))
    story.asked += asks("nodes", *(10.1 + 0.3 * n for n in range(12)))
    assert len(list(laws.nobody_is_hammered(story))) == 1


@pytest.mark.parametrize(
    ("steps", "change"),
    [
        ([], settle("dead", "HTTP 400")),
        ([], tell_as_one("chat")),
        ([], tell(1, 2, 1, 3, lost=True)),
        ([Step(9.0, Fault.KILL, "replica 1", 1.0)], tell(1, 2, 1, 2, 3)),
        ([Step(29.0, Fault.FILL_DISK, "store", 2.0)], end(1, None, lived=1.0, started=False)),
        ([Step(20.0, Fault.STEP, "replica 1", 2.0, 30.0)], ask(*asks("chat", *(10 + 1.0 * n for n in range(31))))),
        ([], end(-15, "SIGTERM", lived=0.3, started=False)),
        ([], replay()),
        ([], delete),
        ([], quiet("silent", 20.0)),
        ([Step(9.0, Fault.QUIET, "file", 8.0, 2.0)], drop),
        ([], quiet("hold", 9.0, 12.0, 30.5)),
        ([], absent(10.5, 11.5)),
        ([Step(20.0, Fault.STEP, "replica 1", 5.0, -8.0)], quiet("hold", 23.0)),
        ([], lambda story: story.strangers.update([0, 400, 401, 405, 408, 413, 503])),
        ([], ask(*asks("fast", 10.0, wait=3.0), *asks("fast", 10.1, 13.1))),
        ([], ask(*asks("chat", *(10 + 2.0 * n for n in range(60))))),
    ],
)
def test_what_is_allowed_breaks_no_law(steps: list[Step], change: Callable[[Story], object]) -> None:
    story = a_story(*steps)
    change(story)
    assert breaches(story) == []


@pytest.mark.parametrize(("asked", "broken"), [([11.0], True), ([], False)])
def test_an_address_is_gone_until_someone_resumes_the_lane_if_the_lane_found_out(
    asked: list[float], broken: bool
) -> None:
    story = a_story(Step(10.0, Fault.GONE, "nodes", 4.0))
    story.resumed.append(("nodes", 60.0))
    story.asked += asks("nodes", *asked, *(20.0 + n for n in range(20)))
    assert bool(list(laws.nobody_is_hammered(story))) is broken


@pytest.mark.parametrize(("store", "replicas"), [("sqlite", 1), ("postgresql", 3)])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_makes_the_same_plan_which_is_over_in_time(seed: int, store: Store, replicas: int) -> None:
    plan = a_plan(seed, seconds=120, store=store, replicas=replicas)
    assert plan == a_plan(seed, seconds=120, store=store, replicas=replicas)
    assert plan != a_plan(seed + 1, seconds=120, store=store, replicas=replicas)
    assert [step.at for step in plan.steps] == sorted(step.at for step in plan.steps)
    assert all(step.ends <= 120 and step.lasts <= LASTS[step.fault][1] for step in plan.steps)


@pytest.mark.parametrize(("store", "replicas"), [("sqlite", 1), ("postgresql", 3)])
def test_in_a_long_plan_everything_goes_wrong_but_what_cannot_here(store: Store, replicas: int) -> None:
    others = {fault for engine, faults in STORE.items() if engine != store for fault in faults}
    for without in (frozenset[Fault](), frozenset({Fault.STEP, Fault.FILL_DISK})):
        plan = a_plan(7, seconds=600, store=store, replicas=replicas, without=without)
        assert {step.fault for step in plan.steps} == set(Fault) - others - without


@pytest.mark.parametrize("seed", range(5))
def test_while_files_of_the_store_are_away_nothing_happens_to_the_process(seed: int) -> None:
    steps = a_plan(seed, seconds=300, store="sqlite").steps
    whole = [step for step in steps if step.fault in WHOLE]
    assert whole
    for step in whole:
        assert not [one for one in steps if one.target == "replica 1" and one.at <= step.ends and step.at <= one.ends]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_goes_wrong_twice_at_once_with_the_same_target(seed: int) -> None:
    steps = a_plan(seed, seconds=300, store="postgresql", replicas=2).steps
    for target in {step.target for step in steps}:
        mine = [step for step in steps if step.target == target]
        assert all(later.at > earlier.ends for earlier, later in pairwise(mine))


def test_a_delay_of_the_machine_is_an_excuse_only_where_it_was() -> None:
    for delay, excused in ((10.3, True), (100.0, False)):
        story = a_story()
        story.asked += asks("group", 10.0, 10.5)
        story.woken(delay, 0.6)
        assert (not breaches(story)) is excused


def test_of_a_log_what_looks_like_a_bug_is_kept_and_the_rest_counted(tmp_path: Path) -> None:
    log = Log(tmp_path / "replica.log")
    log.path.write_text("info app.started\ninfo config.reloaded\nerror sto")
    log.read()
    with log.path.open("a") as file:
        file.write("re.gone file=x\n")
    log.read()
    assert log.said == {"app.started": 1, "config.reloaded": 1, "store.gone": 1, "store.back": 0}
    assert not log.bugs
    for word in BUGS:
        with log.path.open("a") as file:
            file.write(f"{word} happened\n")
    log.read()
    assert log.bugs == [f"{word} happened" for word in BUGS]


def test_a_report_is_a_row_of_the_table() -> None:
    story = a_story()
    tell(1, 1, 2, 3)(story)
    story.kept.pop()
    end(-9, "SIGKILL")(story)
    assert list(report(story))[:3] == [
        "| engine | seed | minutes | events | deliveries | kills | cuts | repeats | lost |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| SQLite | 7 | 1 | 3 | 4 | 1 | 0 | 1 | 1 |",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"id": "e-1", "data": {"mark": "u1.2"}}', [("u1.2", "e-1")]),
        (
            '{"text": "a §a71.3 01a1fd56-e535-73e9-a5cb-0e2e41b0f73b§ b"}',
            [("a71.3", "01a1fd56-e535-73e9-a5cb-0e2e41b0f73b")],
        ),
        (
            '{"embeds": [{"description": "x"}, {"description": "§a71.3 01a1fd56\\\\-e535-73e9-a5cb-0e2e41b0f73b§"}]}',
            [("a71.3", "01a1fd56-e535-73e9-a5cb-0e2e41b0f73b")],
        ),
        ('{"text": "nothing"}', []),
    ],
)
def test_what_a_request_tells_of_is_found_in_it(body: str, told: list[tuple[str, str]]) -> None:
    assert list(said(body.encode())) == told
