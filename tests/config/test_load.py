"""Loading ends with a Config or a ConfigError, whatever the file says."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from bridge.config.load import load
from bridge.config.schema import schema
from bridge.errors import ConfigError, Mistake


def words() -> list[str]:
    """Every key of every setting, and the words that choose."""
    found = set(schema()["properties"])
    for model in schema()["$defs"].values():
        [settings, *_] = model.get("anyOf", [model])  # what may stand alone as well
        found |= set(settings["properties"]) | {str(one.get("const", "")) for one in settings["properties"].values()}
    return sorted(found - {""})


WORD = st.sampled_from(
    [*words(), "marzban", "pasarguard", "ops", "*", "!user.*", "${X}", "{{ x", "none", "https://x/y", "<<"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORD | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=12,
)
ENTRY = st.dictionaries(WORD, VALUE, max_size=6)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.dictionaries(WORD, ENTRY | VALUE, max_size=3),
        "sinks": st.dictionaries(WORD, ENTRY | VALUE, max_size=3),
        "routes": st.lists(ENTRY | VALUE, max_size=3),
        "webhooks": st.lists(ENTRY | VALUE, max_size=3),
        "templates": VALUE,
        "listen": VALUE,
        "timezone": VALUE,
        "limits": VALUE,
    },
)


@given(told=FILES)
def test_whatever_the_file_says_loading_ends_with_settings_or_with_mistakes(told: object) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(told))
        assert all(one.line == 1 and one.column >= 1 and one.text for one in mistakes(file))


def mistakes(file: Path) -> list[Mistake]:
    try:
        assert load(file, {}).config.table() is not None
    except ConfigError as error:
        return error.mistakes or [Mistake(0, 0, "an error without a mistake")]
    return []
