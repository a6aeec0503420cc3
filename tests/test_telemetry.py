"""Logs: one line per record, whatever the values are."""

import asyncio
import errno
import json
import logging
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.telemetry import Log, Throttle, configure_logging, log

LOG = logging.getLogger("bridge.testing")
AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("bridge")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before


def line(capsys: pytest.CaptureFixture[str], **fields: object) -> str:
    configure_logging(Log())
    log(LOG, logging.INFO, "ingress.accepted", **fields)
    text = capsys.readouterr().err
    assert text.endswith("\n")
    return text[:-1]


def test_a_line_has_the_time_the_level_the_event_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    text = line(capsys, source="marzban", events=3, ms=1.23456)
    assert re.fullmatch(rf"{AT} info ingress\.accepted source=marzban events=3 ms=1\.235", text)


@pytest.mark.parametrize(
    ("zone", "ahead"), [("UTC", "Z"), ("Asia/Tehran", r"\+03:30"), ("America/St_Johns", r"-0[23]:30")]
)
def test_text_has_its_times_in_the_zone_of_the_file(capsys: pytest.CaptureFixture[str], zone: str, ahead: str) -> None:
    configure_logging(Log(), ZoneInfo(zone))
    log(LOG, logging.INFO, "lane.away", until=datetime(2026, 11, 21, 4, 14, tzinfo=UTC))
    time = r"[\d-]+T[\d:]+"
    assert re.fullmatch(rf"{time}\.\d{{3}}{ahead} info lane\.away until={time}{ahead}\n", capsys.readouterr().err)


def test_json_has_its_times_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log(format="json"), ZoneInfo("Asia/Tehran"))
    log(LOG, logging.INFO, "lane.away", until=datetime(2026, 11, 21, 4, 14, tzinfo=UTC))
    said = json.loads(capsys.readouterr().err)
    assert re.fullmatch(AT, said["at"])
    assert said["until"] == "2026-11-21T04:14:00Z"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("word", "word"),
        ("two words", '"two words"'),
        ('a"b', '"a\\"b"'),
        ("a=b", '"a=b"'),
        ("line\nbreak", '"line\\nbreak"'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("علی", "علی"),
        ("", '""'),
        (True, "true"),
        (["a", "b"], "a,b"),
        (datetime(2026, 11, 21, 7, 44, tzinfo=timezone(timedelta(hours=3, minutes=30))), "2026-11-21T04:14:00Z"),
    ],
)
def test_a_value_cannot_imitate_a_field_or_a_line(
    capsys: pytest.CaptureFixture[str], value: object, shown: str
) -> None:
    assert line(capsys, field=value).endswith(f" field={shown}")


def test_what_is_none_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert line(capsys, subject=None).endswith("ingress.accepted")


@pytest.mark.parametrize("format_", ["text", "json"])
@given(value=st.text())
def test_whatever_the_value_a_record_is_one_line(format_: str, value: str) -> None:
    record = logging.makeLogRecord({"msg": "event", "fields": {"value": value}, "levelname": "INFO"})
    configure_logging(Log.model_validate({"format": format_}))
    formatter = logging.getLogger().handlers[-1].formatter
    assert formatter is not None
    assert len(formatter.format(record).splitlines()) == 1


def test_json_has_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log(format="json"))
    log(LOG, logging.WARNING, "ingress.refused", source="m", reason="a\nb", at_=datetime(2026, 1, 1, tzinfo=UTC))
    (text,) = capsys.readouterr().err.splitlines()
    told = json.loads(text)
    assert re.fullmatch(AT, told.pop("at"))
    assert told == {
        "level": "warning",
        "event": "ingress.refused",
        "source": "m",
        "reason": "a\nb",
        "at_": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_bug_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str], format_: str) -> None:
    configure_logging(Log.model_validate({"format": format_}))
    try:
        raise RuntimeError("what")
    except RuntimeError as error:
        log(LOG, logging.ERROR, "delivery.bug", error=error)
        logging.getLogger("aiohttp").exception("a library's")
    text = capsys.readouterr().err
    ours, _, library = text.rpartition("aiohttp")
    assert "RuntimeError: what" in ours  # a bug of our own, with its traceback
    assert "RuntimeError" in library  # a library's has its kind and its place, and none of its words
    assert "what" not in library


def test_levels_below_the_chosen_one_are_silent_and_so_are_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log(level="debug"))
    log(LOG, logging.DEBUG, "seen")
    logging.getLogger("alembic").info("not seen")
    logging.getLogger("sqlalchemy.pool").error("not seen: the store says so itself")
    logging.getLogger("aiohttp").warning("seen %s", "too")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("debug seen")
    assert re.search(r'warning aiohttp message="seen %s" said=test_telemetry\.py:\d+$', second)
    configure_logging(Log(level="error"))
    log(LOG, logging.WARNING, "not seen")
    logging.getLogger("aiohttp").warning("not seen")
    assert capsys.readouterr().err == ""


def test_setting_it_up_again_replaces_what_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        configure_logging(Log())
    log(LOG, logging.INFO, "once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_only_known_levels_and_forms_are_settings() -> None:
    for wrong in ({"level": "loud"}, {"format": "xml"}):
        with pytest.raises(ValidationError):
            Log.model_validate(wrong)


def test_a_librarys_record_is_one_line_without_what_was_put_into_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())
    library = logging.getLogger("aiohttp.server")
    try:
        raise ValueError("bad line: the-secret")
    except ValueError:
        library.exception("Error handling request from %s", "the-secret")
        library.error("the-secret is written into the words already")
    first, second = capsys.readouterr().err.splitlines()
    assert re.search(
        r'error aiohttp\.server message="Error handling request from %s" said=test_telemetry\.py:\d+ '
        r"error=ValueError raised=test_telemetry\.py:\d+$",
        first,
    )
    assert re.search(r"error aiohttp\.server said=test_telemetry\.py:\d+$", second)


def test_a_library_that_repeats_itself_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())
    for _ in range(1000):
        logging.getLogger("aiohttp.server").warning("again")
    assert len(capsys.readouterr().err.splitlines()) < 1000


def test_ten_of_a_kind_are_let_through_in_a_second_and_the_others_are_counted() -> None:
    now = [0.0]
    throttle: Throttle[str] = Throttle(10, now=lambda: now[0])
    assert [throttle.left_out("a") for _ in range(13)] == [0] * 10 + [None] * 3
    assert throttle.left_out("b") == 0
    assert list(throttle.overdue()) == []
    now[0] = 1.0
    assert [throttle.left_out("a") for _ in range(12)] == [3] + [0] * 9 + [None] * 2
    now[0] = 2.0
    assert list(throttle.overdue()) == [("a", 2)]
    assert list(throttle.overdue()) == []


def test_what_told_of_those_left_out_is_the_first_of_the_next_window() -> None:
    now = [0.0]
    throttle: Throttle[str] = Throttle(1, per=600, now=lambda: now[0])
    assert [throttle.left_out("a") for _ in range(3)] == [0, None, None]
    now[0] = 599.0
    assert list(throttle.overdue()) == []
    now[0] = 600.0
    assert list(throttle.overdue()) == [("a", 2)]
    assert throttle.left_out("a") is None
    now[0] = 1200.0
    assert throttle.left_out("a") == 1


def test_a_throttle_remembers_so_many_kinds_and_no_more() -> None:
    throttle: Throttle[int] = Throttle(1, keys=2, now=lambda: 0.0)
    assert [throttle.left_out(key) for key in (1, 1, 2, 3, 1)] == [0, None, 0, 0, 0]


def events_of(text: str) -> list[str]:
    return [one.split()[2] for one in text.splitlines()]


async def test_what_is_logged_in_one_turn_of_the_loop_is_written_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())
    for event in ("first", "second"):
        log(LOG, logging.INFO, event)
    assert capsys.readouterr().err == ""
    await asyncio.sleep(0)
    assert events_of(capsys.readouterr().err) == ["first", "second"]
    await asyncio.sleep(0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
async def test_a_warning_is_written_at_once_behind_what_was_logged_before(
    capsys: pytest.CaptureFixture[str], level: int
) -> None:
    configure_logging(Log())
    log(LOG, logging.INFO, "before")
    log(LOG, level, "warned")
    assert events_of(capsys.readouterr().err) == ["before", "warned"]


async def test_where_no_loop_runs_all_is_written_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())
    log(LOG, logging.INFO, "on.the.loop")
    await asyncio.to_thread(log, LOG, logging.INFO, "on.a.thread")
    assert events_of(capsys.readouterr().err) == ["on.the.loop", "on.a.thread"]


def test_what_a_loop_did_not_come_to_write_is_written_with_the_next_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())

    def log_and_stop(event: str) -> None:
        log(LOG, logging.INFO, event)
        loop.stop()

    for event in ("first", "second"):
        loop = asyncio.new_event_loop()
        loop.call_soon(log_and_stop, event)
        loop.run_forever()
        loop.close()
    log(LOG, logging.INFO, "third")
    assert events_of(capsys.readouterr().err) == ["first", "second", "third"]


async def test_what_was_logged_before_it_is_set_up_again_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log())
    log(LOG, logging.INFO, "before")
    configure_logging(Log())
    log(LOG, logging.INFO, "behind")
    await asyncio.sleep(0)
    assert events_of(capsys.readouterr().err) == ["before", "behind"]


class FullDisk(StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("level", [logging.INFO, logging.ERROR])
async def test_a_log_that_takes_nothing_stops_nobody(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    monkeypatch.setattr("sys.stderr", FullDisk())
    configure_logging(Log())
    log(LOG, level, "lost")
    await asyncio.sleep(0)
    assert faults == []
