"""Sources of one realm speak of the same users: what they tell is kept with it."""

import pytest

from bridge.ingress.source import Source
from bridge.panels.marzban import MarzbanConfig


@pytest.mark.parametrize(("realm", "kept"), [("fra", "fra"), (None, None)])
def test_a_source_is_of_the_realm_that_the_file_names(realm: str | None, kept: str | None) -> None:
    config = MarzbanConfig.model_validate({"panel": "marzban", "secret": "none", "realm": realm})
    assert Source("berlin", "marzban", config.open()).realm == kept
