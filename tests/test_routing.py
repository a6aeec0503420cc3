"""The table: which rows apply to an event, in which order, and what it says of that."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.event import Event
from bridge.intake import Destination, Routed
from bridge.routing import Route, Router
from bridge.routing.verdicts import Reason, Verdict, verdicts
from bridge.value import replace
from tests.fakes import Switch, an_event

SINKS = {"ops": Switch(), "team": Switch(), "night": Switch(), "off": Switch(enabled=False)}


def routed(event: Event, *routes: Route) -> Routed:
    return Router([(f"route {i}", route) for i, route in enumerate(routes, 1)], sinks=SINKS).route(event)


def sinks(event: Event, *routes: Route) -> list[str]:
    return [one.sink for one in routed(event, *routes).destinations]


def said(routed: Routed) -> list[Verdict]:
    """What each row said."""
    return verdicts(routed.event, routed.decision)


def why(event: Event, route: Route) -> str:
    return said(routed(event, route))[0].why


EVENT = replace(an_event(), data={"user": {"username": "alice", "used_bytes": 5}, "owner": "reseller-7"})


@pytest.mark.parametrize(
    ("match", "matched", "reason"),
    [
        ("user.*", True, "matched user.*"),
        ("user.created", True, "matched user.created"),
        ("user_created", True, "matched user_created"),
        ("user_*", True, "matched user_*"),
        ("*", True, "matched *"),
        ("*.created", True, "matched *.created"),
        ("user.[cd]*", True, "matched user.[cd]*"),
        (["node.*", "user.*"], True, "matched user.*"),
        (["node.*", "peer.*"], False, "type user.created is not among node.*, peer.*"),
        ("USER.*", False, "type user.created is not among USER.*"),
        ("user", False, "type user.created is not among user"),
        (["user.*", "!user.created"], False, "type user.created is left out by !user.created"),
        (["!user.created", "user.*"], False, "type user.created is left out by !user.created"),
        (["user.*", "!user_c*"], False, "type user.created is left out by !user_c*"),
        (["!user.login"], True, "matched *"),
        (["!user.*"], False, "type user.created is left out by !user.*"),
    ],
)
def test_a_row_takes_types_by_glob_under_either_name(match: object, matched: bool, reason: str) -> None:
    route = Route.model_validate({"match": match, "to": "ops"})
    assert [(one.row, one.matched, one.why) for one in said(routed(EVENT, route))] == [("route 1", matched, reason)]
    assert sinks(EVENT, route) == (["ops"] if matched else [])


OWN = replace(EVENT, type="bridge.lane_parked", native_type="bridge.lane_parked", source="panelbridge")


@pytest.mark.parametrize(
    ("match", "matched"),
    [
        ("bridge.*", True),
        ("bridge.lane_*", True),
        ("bridge.lane_parked", True),
        ("*", False),
        ("*.lane_parked", False),
        ("b*", False),
        ("bridge*", False),
        ("[b]ridge.*", False),
        ("?ridge.lane_parked", False),
        (["!user.login"], False),
        (["bridge.*", "!bridge.lane_*"], False),
        (["*", "bridge.*", "!bridge.dead_letters"], True),
    ],
)
def test_what_the_bridge_tells_of_itself_is_for_globs_that_name_it(match: object, matched: bool) -> None:
    assert bool(sinks(OWN, Route.model_validate({"match": match, "to": "ops"}))) is matched


def test_a_row_without_match_takes_everything() -> None:
    assert sinks(EVENT, Route(to=("ops",))) == ["ops"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("marzban", "matched *"),
        (["berlin", "marzban"], "matched *"),
        ("berlin", "source is marzban, not berlin"),
        (["berlin", "paris"], "source is marzban, not berlin or paris"),
    ],
)
def test_a_row_may_take_events_of_some_sources_only(source: object, reason: str) -> None:
    assert why(EVENT, Route.model_validate({"source": source, "to": "ops"})) == reason


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("data.owner == 'reseller-7'", "matched *"),
        ("data.user.used_bytes > 4 and type == 'user.created'", "matched *"),
        ("event.subject.startswith('user:')", "matched *"),
        ("native.username in ['alice', 'bob'] and native_type == 'user_created'", "matched *"),
        ("source == panel", "matched *"),
        ("'reseller' in data.owner | upper | lower", "matched *"),
        ("data.owner == 'reseller-8'", "when was false"),
        ("data.nobody.knows.this", "when was false"),
        ("data.nobody is defined", "when was false"),
        ("not data.owner", "when was false"),
        ("data.nobody > 4", "when failed: 'dict object' has no attribute 'nobody'"),
        ("1 / 0", "when failed: division by zero"),
        ("data.owner + 1", 'when failed: can only concatenate str (not "int") to str'),
        ("subject.__class__.__mro__", "when was false"),
        ("data.update({'owner': 'me'})", "when failed: access to attribute 'update' of 'dict' object is unsafe."),
    ],
)
def test_a_row_may_ask_about_the_event_itself(when: str, reason: str) -> None:
    assert why(EVENT, Route(to=("ops",), when=when)) == reason


def test_a_key_of_the_payload_comes_before_a_method_of_the_same_name() -> None:
    event = replace(EVENT, native={"items": 3, "values": "x", "deep": [{"keys": 1}]})
    for when in ("native.items == 3 and native.values == 'x'", "event.native.deep[0].keys == 1"):
        assert why(event, Route(to=("ops",), when=when)) == "matched *"


@pytest.mark.parametrize(
    ("when", "mistake"),
    [
        ("data.owner ==", "is not a Jinja expression: unexpected 'end of template'"),
        ("data.owner | shout", "is not a Jinja expression: No filter named 'shout'"),
        ("{{ data.owner }}", "is not a Jinja expression: expected token ':', got '}'; write it without {{ }}"),
        ("true and\n  (", "is not a Jinja expression in line 2: unexpected 'end of template'"),
        ("owner == 'reseller-7'", "speaks of owner, which is not there: write data.owner"),
        (
            "range(3) and owner",
            "speaks of owner, which is not there: write data.owner",
        ),
        (
            "range(3)",
            "speaks of range, which is not there: there are event",
        ),
        ("not " * 5000 + "data", "is not a Jinja expression: it is nested too deeply"),
        (
            "kind == 'x'",
            "speaks of kind, which is not there: there are event, data, type, native_type, subject, source",
        ),
    ],
)
def test_an_expression_that_cannot_work_is_no_setting(when: str, mistake: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Route(to=("ops",), when=when)
    assert mistake in str(raised.value)


def test_errors_are_counted_for_each_row_and_told_once() -> None:
    told: list[tuple[str, str]] = []
    rows = [("route 1", Route(to=("ops",), when="data.x > 1")), ("route 2", Route(to=("ops",), when="1 / 0"))]
    router = Router(rows, sinks=SINKS, on_error=lambda row, reason: told.append((row, reason)))
    for _ in range(3):
        assert router.route(EVENT).destinations == ()
    assert router.failures == {"route 1": 3, "route 2": 3}
    assert told == [("route 1", "'dict object' has no attribute 'x'"), ("route 2", "division by zero")]


def test_rows_apply_in_order_until_one_stops() -> None:
    result = routed(
        EVENT,
        Route(match=("node.*",), to=("team",), stop=True),
        Route(match=("user.*",), to=("ops",), template="short"),
        Route(to=("night", "ops"), stop=True),
        Route(to=("team",)),
    )
    assert result.destinations == (Destination("ops", "route 2", "short"), Destination("night", "route 3"))
    assert [one.why for one in said(result)] == [
        "type user.created is not among node.*",
        "matched user.*",
        "matched *",
        "route 3 stopped the table",
    ]


def test_a_row_stops_the_table_only_if_it_matched() -> None:
    assert sinks(EVENT, Route(to=("ops",), when="false", stop=True), Route(to=("team",))) == ["team"]


def test_a_disabled_sink_gets_nothing_and_the_reason_says_so() -> None:
    result = routed(EVENT, Route(to=("off", "ops")))
    assert [one.sink for one in result.destinations] == ["ops"]
    assert said(result) == [
        Verdict("route 1", Reason.MATCHED, {"glob": "*", "name": "user.created"}, disabled=("off",))
    ]
    assert said(result)[0].why == "matched *; sink off is disabled"


class Name(str):
    """A type's name that can be seen to be forgotten."""


def remembered(router: Router, field: str, *names: str) -> int:
    """How many of the names the router still has after it has routed an event with each."""
    seen = []
    for text in names:
        name = Name(text)
        seen.append(weakref.ref(name))
        router.route(replace(EVENT, **{field: name}))
        del name
    gc.collect()
    return sum(one() is not None for one in seen)


@pytest.mark.parametrize("field", ["type", "native_type"])
def test_strange_names_of_types_do_not_fill_the_memory(field: str) -> None:
    router = Router([("route 1", Route(to=("ops",)))], sinks=SINKS)
    assert remembered(router, field, "short") == 1
    assert remembered(router, field, "x" * 1000) == 0
    assert remembered(router, field, *(f"type-{number}" for number in range(3000))) < 3000


def test_what_is_kept_of_an_event_does_not_grow_with_the_rows_that_do_not_take_it() -> None:
    others = [Route(match=(f"node.{n}",), to=("team",)) for n in range(1000)]
    alone, among_many = (routed(EVENT, Route(to=("ops",)), *rows).decision for rows in ([], others))
    assert (alone.matched, alone.failed) == (among_many.matched, among_many.failed)


def test_a_table_is_told_from_every_other_by_its_key() -> None:
    tables = [
        Router([(name, Route(match=(match,), to=to))], sinks={"ops": Switch(on), "team": Switch()}).table
        for name in ("route 1", "route 2")
        for match in ("*", "user.*")
        for to in (("ops",), ("ops", "team"))
        for on in (True, False)
    ]
    assert len({table.key for table in tables}) == len(tables)
    same = [Router([("route 1", Route(to=("ops",)))], sinks=SINKS).table for _ in range(2)]
    assert same[0] == same[1]


ROUTES = st.lists(
    st.builds(
        Route,
        match=st.lists(
            st.sampled_from(["*", "user.*", "user.created", "node.*", "!user.*", "!node.lost"]), min_size=1, max_size=3
        ).map(tuple),
        source=st.sampled_from([None, ("marzban",), ("berlin",)]),
        when=st.sampled_from([None, "data.user", "data.x > 1", "false"]),
        to=st.lists(st.sampled_from([*SINKS, "ops"]), min_size=1, max_size=4).map(tuple),
        stop=st.booleans(),
    ),
    max_size=6,
)
EVENTS = st.builds(an_event, type_=st.sampled_from(["user.created", "node.lost", "custom.thing"]))


@given(event=EVENTS, routes=ROUTES)
def test_whatever_the_table_each_sink_gets_an_event_once_from_the_first_row_that_names_it(
    event: Event, routes: list[Route]
) -> None:
    result = routed(event, *routes)
    given_to = [one.sink for one in result.destinations]
    assert len(given_to) == len(set(given_to))
    assert "off" not in given_to
    matched = [route for route, verdict in zip(routes, said(result), strict=True) if verdict.matched]
    assert given_to == list(dict.fromkeys(sink for route in matched for sink in route.to if sink != "off"))
    for one in result.destinations:
        assert one.row == next(
            f"route {i}"
            for i, (route, verdict) in enumerate(zip(routes, said(result), strict=True), 1)
            if verdict.matched and one.sink in route.to
        )


@given(event=EVENTS, routes=ROUTES)
def test_whatever_the_table_nothing_applies_below_a_row_that_stopped_it(event: Event, routes: list[Route]) -> None:
    told = said(routed(event, *routes))
    stops = [i for i, (route, one) in enumerate(zip(routes, told, strict=True)) if one.matched and route.stop]
    assert len(stops) <= 1
    assert all(not one.matched and one.why.endswith("stopped the table") for one in told[(stops or [99])[0] + 1 :])


@given(event=EVENTS, routes=ROUTES)
def test_asking_twice_gives_the_same_answer(event: Event, routes: list[Route]) -> None:
    rows = [(f"route {i}", route) for i, route in enumerate(routes)]
    router = Router(rows, sinks=SINKS)
    assert router.route(event) == router.route(event)
