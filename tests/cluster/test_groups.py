"""Which sinks must be carried by the same replica."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.cluster.assignment import groups

SINKS = st.sampled_from(["a", "b", "c", "d", "e", "f"])


def test_sinks_that_share_nothing_are_groups_of_their_own() -> None:
    assert groups({"ops": ["x"], "team": [], "night": ["y"]}) == {"ops": "ops", "team": "team", "night": "night"}


def test_sinks_that_share_a_limit_through_a_third_one_are_one_group() -> None:
    found = groups({"ops": ["bot 1"], "team": ["chat 2"], "night": ["bot 1", "chat 2"], "crm": []})
    assert found["ops"] == found["team"] == found["night"] != found["crm"]


@given(st.dictionaries(SINKS, st.sets(st.integers(0, 4).map(str))))
def test_two_sinks_are_one_group_exactly_where_a_chain_of_shared_limits_joins_them(scopes: dict[str, set[str]]) -> None:
    joined = {sink: {sink} for sink in scopes}
    for _ in scopes:
        for sink in scopes:
            for other in scopes:
                if any(scopes[one] & scopes[two] for one in joined[sink] for two in joined[other]):
                    joined[sink] = joined[other] = joined[sink] | joined[other]
    found = groups(scopes)
    assert {sink: {other for other in found if found[other] == found[sink]} for sink in found} == joined
