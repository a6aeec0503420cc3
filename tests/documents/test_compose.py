"""The Compose files: by the specification's schema, and the bridge alone beside whatever is there."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge import __version__
from bridge.config.load import load
from tests.pages import ROOT

COMPOSED = [ROOT / "compose.yaml", *sorted((ROOT / "docs" / "compose").glob("*.yaml"))]
#: What these files start: the bridge, and a database for it. Panels are there already.
OURS = {"panelbridge", "postgres"}
SCHEMA = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text("utf-8"))


def composed(file: Path) -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return value


def mistakes(value: Any) -> list[str]:
    return [one.message for one in Draft202012Validator(SCHEMA).iter_errors(value)]


@pytest.mark.parametrize("file", COMPOSED, ids=lambda file: file.name)
def test_every_compose_file_keeps_to_the_specification(file: Path) -> None:
    assert mistakes(composed(file)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"services": {"panelbridge": {"imgae": "panelbridge"}}},
        {"services": {"panelbridge": {"ports": 8080}}},
        {"services": {"panelbridge": {"tmpfs": [{"path": "/run"}]}}},
        {"services": {"panelbridge": {"networks": {"default": []}}}},
        {"networks": {"panel": {"external": "perhaps"}}, "service": {}},
    ],
)
def test_what_the_specification_does_not_know_is_a_mistake(wrong: Any) -> None:
    assert mistakes(wrong)


@pytest.mark.parametrize("file", COMPOSED, ids=lambda file: file.name)
def test_no_compose_file_starts_a_panel(file: Path) -> None:
    assert composed(file)["services"].keys() <= OURS


@pytest.mark.parametrize("file", COMPOSED, ids=lambda file: file.name)
def test_every_network_that_is_joined_and_every_volume_that_is_used_is_declared(file: Path) -> None:
    whole = composed(file)
    for service in whole["services"].values():
        assert {*service.get("networks", ())} <= {"default", *whole.get("networks", ())}
        named = {one.split(":")[0] for one in service.get("volumes", ()) if one[0] not in "./"}
        assert named <= {*whole.get("volumes", ())}


def test_a_panels_network_is_joined_and_never_made() -> None:
    networks = [network for file in COMPOSED for network in composed(file).get("networks", {}).values()]
    assert networks
    assert all(network == {"external": True} for network in networks)


def test_the_bridge_gets_nothing_that_it_does_not_need() -> None:
    bridge = composed(ROOT / "compose.yaml")["services"]["panelbridge"]
    assert bridge["read_only"] is True
    assert bridge["cap_drop"] == ["ALL"]
    assert bridge["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in bridge
    assert "depends_on" not in bridge
    assert all(port.startswith("127.0.0.1:") for port in bridge["ports"])


def test_the_bridge_is_built_here_and_tagged_with_its_version() -> None:
    bridge = composed(ROOT / "compose.yaml")["services"]["panelbridge"]
    assert (bridge["build"], bridge["image"]) == (".", f"panelbridge:{__version__}")


def test_the_store_is_on_a_volume_and_the_folder_of_the_file_is_mounted() -> None:
    whole = composed(ROOT / "compose.yaml")
    targets = {mount.split(":")[1]: mount for mount in whole["services"]["panelbridge"]["volumes"]}
    assert targets["/var/lib/panelbridge"].split(":")[0] in whole["volumes"]
    assert targets["/etc/panelbridge"].endswith(":ro")


ADDRESSES = [
    (file, match[1])
    for file in COMPOSED
    for match in re.finditer(r"(?m)^#.*?\w+_(?:URL|ADDRESS)=\"?(http[^\s\"]+)", file.read_text("utf-8"))
]


@pytest.mark.parametrize(("file", "address"), ADDRESSES, ids=lambda one: getattr(one, "name", one))
def test_the_addresses_that_panels_are_given_lead_to_a_source_of_the_example(file: Path, address: str) -> None:
    base, _, path = address.removeprefix("http://").partition("/")
    assert base == ("panelbridge:8080" if "networks" in composed(file) else "127.0.0.1:8080")
    sources = load(ROOT / "config.example.yaml", env={}).config.sources
    match path.split("/"):
        case ["in", name]:
            assert sources[name].panel == name
        case ["api", "webhooks", name, _]:
            assert sources[name].panel == "discord"
        case _:
            pytest.fail(f"no path of the bridge: {path}")
