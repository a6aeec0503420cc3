"""The laws of a power cut catch what they are there for: each is broken once."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.powercut.laws import Muting, breaches, original_of, unmuted
from tests.powercut.report import Answered, Arrival, Kept, Printed, Report


def a_report() -> Report:
    """The power went at 20 s; all that was answered arrived, the last one a second time."""
    report = Report(breaks=[20.0], once={"p1"}, log="info app.started")
    for number in range(1, 4):
        mark, event = f"p1.{number}", f"event-{number}"
        report.answered.append(Answered(mark, 10.0 + number))
        report.arrivals.append(Arrival(mark, event, 16.5 + number))
        report.kept.append(Kept(number, mark, event, "delivered", None))
    report.arrivals.append(Arrival("p1.3", "event-3", 22.0))
    return report


def test_what_a_busy_machine_holds_up_breaks_no_law() -> None:
    report = a_report()
    tell_an_old_one_again(report)
    report.stood_still += [(10.0, 1.0), (17.4, 5.0), (19.9, 6.2), (20.0, 6.2)]
    assert breaches(report) == []


def test_what_is_replayed_comes_when_it_is_replayed() -> None:
    report = a_report()
    report.arrivals.insert(3, report.arrivals.pop(0))
    report.kept.append(Kept(4, "p1.1", "event-1", "delivered", 1))
    report.printed.append(Printed(19.0, (4,), {1: "replayed"}))
    report.kept[0] = replace(report.kept[0], cleared="replayed")
    assert breaches(report) == []


def test_a_run_in_which_all_went_well_breaks_no_law() -> None:
    assert breaches(a_report()) == []


def test_what_a_mute_took_is_not_lost() -> None:
    report = a_report()
    muted(report)
    for number in (1, 2):
        report.kept[number] = replace(report.kept[number], state="held_back")
        report.arrivals = [one for one in report.arrivals if one.mark != report.kept[number].mark]
    assert breaches(report) == []


def test_of_a_mute_that_nobody_printed_either_may_be_so() -> None:
    report = a_report()
    report.printed.append(Muting(math.inf, mutes={"user:p1": True}))
    assert breaches(report) == []
    report.kept[2] = replace(report.kept[2], state="held_back")
    assert breaches(report) == []


@pytest.mark.parametrize(
    ("so", "found", "moment", "said"),
    [
        (True, {"user:p1"}, 20.0, []),
        (True, set(), 20.0, ["user:p1 was said to be muted, and is not"]),
        (True, set(), 18.0, []),
        (False, set(), 20.0, []),
        (False, {"user:p1"}, 20.0, ["user:p1 was said to be told of again, and is muted"]),
    ],
)
def test_what_was_printed_of_a_mute_is_so_on_the_disk(
    so: bool, found: set[str], moment: float, said: list[str]
) -> None:
    report = a_report()
    muted(report, so=so)
    assert list(unmuted(report, found, moment)) == said


def lose(report: Report) -> None:
    del report.kept[1]


def hold_back(report: Report) -> None:
    del report.arrivals[1]


def forget_the_replay(report: Report) -> None:
    report.printed.append(Printed(19.0, (3,)))


def forget_that_it_was_put_away(report: Report) -> None:
    report.printed.append(Printed(19.0, cleared={2: "dismissed"}))


def put_away_for_good(report: Report) -> None:
    report.printed.append(Printed(19.0, cleared={2: None}))
    report.kept[1] = replace(report.kept[1], cleared="dismissed")


def muted(report: Report, *, so: bool = True) -> None:
    report.printed.append(Muting(19.0, mutes={"user:p1": so}))


def tell_what_is_muted(report: Report) -> None:
    muted(report)


def hold_back_what_is_told_again(report: Report) -> None:
    muted(report)
    muted(report, so=False)
    report.kept[2] = replace(report.kept[2], state="held_back")


def hold_back_what_nobody_muted(report: Report) -> None:
    report.kept[1] = replace(report.kept[1], state="held_back")
    del report.arrivals[1]


def mask_the_original(report: Report) -> None:
    report.unmasks = True
    report.arrivals = [replace(one, original=original_of(one.mark)) for one in report.arrivals]
    report.arrivals[1] = replace(report.arrivals[1], original="***")


def keep_the_original(report: Report) -> None:
    report.kept[1] = replace(report.kept[1], sealed=True)


def wait(report: Report) -> None:
    report.kept[2] = replace(report.kept[2], state="waiting")


def tell_an_old_one_again(report: Report) -> None:
    report.arrivals.append(Arrival("p1.1", "event-1", 23.0))


def tell_again_though_nothing_happened(report: Report) -> None:
    report.arrivals.append(Arrival("p1.3", "event-3", 23.0))


def swap(report: Report) -> None:
    report.arrivals[0], report.arrivals[1] = report.arrivals[1], report.arrivals[0]


def keep_twice(report: Report) -> None:
    report.kept.append(replace(report.kept[0], id=4, event="event-4"))


def corrupt(report: Report) -> None:
    report.faults.append("panelbridge.db: row 3 missing from index")


def crash(report: Report) -> None:
    report.log += "\nTraceback (most recent call last):"


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lose, "p1.2 was answered 200, and is not kept"),
        (hold_back, "p1.2 was answered 200, and did not arrive"),
        (forget_the_replay, "delivery 3 was replayed, and is not kept"),
        (forget_that_it_was_put_away, "delivery 2 was said to be dismissed, and is not"),
        (put_away_for_good, "delivery 2 was said to be there again, and is dismissed"),
        (tell_what_is_muted, "p1.3 was to be held_back, and is delivered"),
        (hold_back_what_is_told_again, "p1.3 was to be delivered, and is held_back"),
        (hold_back_what_nobody_muted, "p1.2 was answered 200, and did not arrive"),
        (mask_the_original, "p1.2 arrived with *** in place of its original"),
        (keep_the_original, "the originals of delivery 2 are still kept"),
        (wait, "p1.3 is still waiting (delivery 3)"),
        (tell_an_old_one_again, "p1.1 arrived 2.5 s before the power went, and again after it"),
        (tell_again_though_nothing_happened, "p1.3 arrived twice, and the power did not go in between"),
        (swap, "p1.1 arrived after p1.2"),
        (keep_twice, "p1.1 has an id, and was kept 2 times"),
        (corrupt, "panelbridge.db: row 3 missing from index"),
        (crash, "the log says: Traceback"),
    ],
)
def test_a_law_notices_when_it_is_broken(harm: Callable[[Report], None], said: str) -> None:
    report = a_report()
    harm(report)
    assert breaches(report) == [said]
