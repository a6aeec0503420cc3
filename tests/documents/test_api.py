"""What docs/api.md says of the interfaces is what they are."""

from bridge.admin.rest.api import ENDPOINTS
from bridge.admin.rest.openapi import PROBLEMS
from tests.pages import table


def test_every_operation_of_rest_is_in_the_table_with_its_token() -> None:
    rows = [(*cells,) for cells in table("docs/api.md", "Operations")]
    expected = [(f"`{one.method} {one.path}`", one.role.name.lower(), one.summary) for one in ENDPOINTS]
    assert rows == expected


def test_every_status_of_rest_is_explained() -> None:
    rows = {int(status) for status, _ in table("docs/api.md", "What is refused")}
    assert rows == {*PROBLEMS, 405, 421}
