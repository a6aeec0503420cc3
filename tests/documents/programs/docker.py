"""A stand-in for docker: knows the documented options and no others, and runs what stands behind on this machine.

DOCKER_STATE is its folder: `images` it has, `volumes` by name. A container's own folder is the volume of the store.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["DOCKER_STATE"])
IMAGES, STORE = STATE / "images", STATE / "volumes" / "panelbridge"
INSIDE = "/var/lib/panelbridge"


def main() -> int:
    STORE.mkdir(parents=True, exist_ok=True)
    command, *words = sys.argv[1:]
    known = {"build": build, "buildx": buildx, "save": save, "load": load, "run": run, "compose": compose}
    return known[command](words)


def parser(*flags: str, many: tuple[str, ...] = (), values: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(allow_abbrev=False)
    for flag in flags:
        made.add_argument(flag, action="store_true")
    for name in many:
        made.add_argument(name, action="append", default=[])
    for name in values:
        made.add_argument(name)
    return made


def build(words: list[str]) -> int:
    made = parser(many=("--tag", "--build-context"))
    made.add_argument("context", type=Path)
    given = made.parse_args(words)
    assert (given.context / "Dockerfile").is_file()
    add(*given.tag)
    return 0


def buildx(words: list[str]) -> int:
    made = parser(values=("--format",))
    made.add_argument("words", nargs=3)
    given = made.parse_args(words)
    assert given.words[:2] == ["imagetools", "inspect"]
    print("sha256:" + "0" * 64)
    return 0


def save(words: list[str]) -> int:
    [image] = words
    assert image in images(), f"no image {image}"
    sys.stdout.write(json.dumps([image]))
    return 0


def load(words: list[str]) -> int:
    given = parser(values=("--input",)).parse_args(words)
    add(*json.loads(gzip.decompress(Path(given.input).read_bytes())))
    return 0


def run(words: list[str]) -> int:
    one, many = ("--name", "--env-file", "--tmpfs"), ("--publish", "--cap-drop", "--security-opt", "--volume")
    made = parser("--detach", "--read-only", values=one, many=many)
    made.add_argument("image")
    given = made.parse_args(words)
    assert given.image in images(), f"no image {given.image}"
    mounts = {inside.split(":")[0]: outside for outside, _, inside in (one.partition(":") for one in given.volume)}
    assert mounts.keys() == {INSIDE, "/etc/panelbridge"}
    return inside(["check"], Path(mounts["/etc/panelbridge"]), Path(given.env_file))


def compose(words: list[str]) -> int:
    command, *rest = words
    environment = variables(Path(".env"))
    for file in environment.get("COMPOSE_FILE", "compose.yaml").split(":"):
        assert Path(file).is_file(), f"no such file: {file}"
    match command:
        case "build" | "stop" | "start":
            assert rest in ([], ["panelbridge"])
            return 0
        case "up":
            assert rest == ["--detach"]
            return inside(["check"])
        case "run":
            options = rest[: rest.index("panelbridge")]
            assert {*options} <= {"--rm", "--no-TTY"}
            return inside(rest[rest.index("panelbridge") + 1 :])
        case "exec":
            service, program, *arguments = rest
            assert service == "panelbridge"
            if program == "panelbridge":
                return inside(arguments)
            return subprocess.run([program, *arguments], cwd=STORE).returncode
        case "cp":
            source, target = rest
            shutil.copy(source.replace(f"panelbridge:{INSIDE}", str(STORE)), target)
            return 0
    raise SystemExit(f"docker compose {command}: not documented")


def inside(words: list[str], folder: Path = Path("panelbridge"), env_file: Path = Path(".env")) -> int:
    """Run the command as the container would: in its folder, with the file that is mounted and its environment."""
    config = {"PANELBRIDGE_CONFIG": str(folder.absolute() / "config.yaml")}
    environment = {**os.environ, **variables(env_file), **config}
    return subprocess.run(["panelbridge", *words], cwd=STORE, env=environment).returncode


def variables(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert all("=" in line for line in lines), file
    return dict(line.split("=", 1) for line in lines)


def images() -> list[str]:
    return IMAGES.read_text().split() if IMAGES.exists() else []


def add(*names: str) -> None:
    IMAGES.write_text("\n".join([*images(), *(name if ":" in name else f"{name}:latest" for name in names)]))


sys.exit(main())
