"""What docs/api.md says of the interfaces is what they are."""

from bridge.admin.graphql.context import LIMIT
from bridge.admin.graphql.limits import ALIASES, BODY, DEPTH, FIRST, PRODUCT, TOKENS, TOP
from bridge.admin.rest.api import ENDPOINTS
from bridge.admin.rest.openapi import PROBLEMS
from tests.admin.test_graphql import DOCUMENTED
from tests.pages import blocks, table


def test_every_operation_of_rest_is_in_the_table_with_its_token() -> None:
    rows = [(*cells,) for cells in table("docs/api.md", "Operations")]
    expected = [(f"`{one.method} {one.path}`", one.role.name.lower(), one.summary) for one in ENDPOINTS]
    assert rows == expected


def test_every_status_of_rest_is_explained() -> None:
    rows = {int(status) for status, _ in table("docs/api.md", "What is refused")}
    assert rows == {*PROBLEMS, 405, 421}


def test_the_documented_mutation_is_the_one_that_is_tested() -> None:
    assert DOCUMENTED in [one.text.strip() for one in blocks("graphql")]


def test_the_limits_of_a_graphql_request_are_what_they_are() -> None:
    rows = dict(table("docs/api.md", "GraphQL"))
    for name, number in (("tokens", TOKENS), ("depth", DEPTH), ("fields at the top", TOP), ("aliases", ALIASES)):
        assert rows[name].startswith(f"{number:,}")
    assert rows["bytes"].startswith(f"{BODY // 1024} KiB")
    assert rows["deliveries"] == f"`first` from 1 to {FIRST}, {PRODUCT:,} along a path"
    assert rows["time for looking up"].startswith(f"{LIMIT:g} s")
