"""A name is said of one thing: who looks for it finds it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import bridge
from bridge.admin.shapes import Shape

ROOT = Path(bridge.__path__[0])


def defined(tree: ast.Module) -> Iterator[str]:
    """The names of the classes of a module, and of its types."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) if name.lstrip("_")[:1].isupper() and not name.isupper():
                yield name


def several(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """The names that are said of several things, and the modules of these."""
    modules = defaultdict[str, set[str]](set)
    for module, tree in trees.items():
        for name in defined(tree):
            modules[name].add(module)
    return {name: found for name, found in modules.items() if len(found) > 1}


def shapes() -> dict[str, list[str]]:
    """What is shown of the bridge, by name, and the modules of each."""
    found, waiting = defaultdict[str, list[str]](list), Shape.__subclasses__()
    while waiting:
        shape = waiting.pop()
        if shape.__module__.startswith("bridge."):
            found[shape.__name__].append(shape.__module__)
        waiting += shape.__subclasses__()
    return found


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Our modules, as `bridge.store.base`."""
    files = sorted(ROOT.rglob("*.py"))
    return {".".join(one.relative_to(ROOT.parent).with_suffix("").parts): ast.parse(one.read_text()) for one in files}


def test_no_two_classes_share_a_name_but_what_is_shown_and_the_shape_it_is_shown_in(
    trees: Mapping[str, ast.Module],
) -> None:
    import bridge.admin.server  # noqa: F401 all shapes are there once it is

    of_shapes = shapes()
    assert {"Delivery", "Fate", "Verdict"} <= of_shapes.keys()
    assert {name: found for name, found in of_shapes.items() if len(found) > 1} == {}
    others = {name: found - set(of_shapes.get(name, ())) for name, found in several(trees).items()}
    assert {name: found for name, found in others.items() if len(found) > 1} == {}


def prose(tree: ast.Module) -> list[str]:
    """Private helpers that are called by what somebody does, and not by what they return."""
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [one.name for one in functions if re.match(r"_(\w+_)?(said|told|heard)(_|$)", one.name)]


def test_a_private_helper_is_called_by_what_it_returns(trees: Mapping[str, ast.Module]) -> None:
    assert prose(ast.parse("class A:\n    def _was_told(self): ...\ndef _said(): ...\ndef told(): ...")) == [
        "_said",
        "_was_told",
    ]
    assert {module: found for module, tree in trees.items() if (found := prose(tree))} == {}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("class Link: ...", "class Link: ...", ["Link"]),
        ("class Link: ...", "Link = tuple[str, str]", ["Link"]),
        ("class _Reader: ...", "class _Reader: ...", ["_Reader"]),
        ("class Link: ...", "class ChatLink: ...", []),
        ("LIMIT = 1", "LIMIT = 2", []),
        ("import re", "import re", []),
    ],
)
def test_a_name_is_shared_where_classes_or_types_are_called_so(one: str, other: str, shared: list[str]) -> None:
    assert list(several({"one": ast.parse(one), "other": ast.parse(other)})) == shared
