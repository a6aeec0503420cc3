"""The texts of what is written: the file, `.env`, and what Compose reads."""

import json
import re
from collections.abc import Iterator, Mapping

from bridge import __version__
from bridge.errors import BridgeError
from bridge.setup.plan import Plan
from bridge.setup.questions import variable
from bridge.sinks import SERVICES

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=?&~-]*")  # what a shell, Compose and systemd all read as it is
HOST, CONTAINER = "127.0.0.1", "0.0.0.0"  # noqa: S104 a container is reached by its own network
ADMIN_TOKEN = "PANELBRIDGE_ADMIN_TOKEN"  # noqa: S105 its name
COMPOSE = f"""\
# The bridge alone, beside a panel that is there already. It starts no panel, and touches none of a panel's files.
#
#   docker compose run --rm panelbridge check        # every mistake in the file, with line and column
#   docker compose up --detach                       # Compose 2.24 or newer
#   docker compose exec panelbridge panelbridge doctor

services:
  panelbridge:
    image: panelbridge:{__version__}
    restart: unless-stopped
    env_file: .env
    ports:
      - 127.0.0.1:8080:8080       # panels on this machine
      - 127.0.0.1:8081:8081       # the admin side
    volumes:
      - panelbridge:/var/lib/panelbridge
      - ./panelbridge:/etc/panelbridge:ro       # the folder, not the file: an edited file is then seen and reloaded
    read_only: true
    tmpfs:
      - /tmp
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    stop_grace_period: 30s

volumes:
  panelbridge:
"""


def file_text(plan: Plan) -> str:
    """The file, with a word to each setting."""
    return "\n".join([*_head(plan), *_sources(plan), *_sinks(plan), *_routes(plan), ""])


def dotenv_text(values: Mapping[str, str], before: str = "") -> str:
    """`.env`: what it said `before`, but for these names, and then these."""
    kept = [line for line in before.splitlines() if line.partition("=")[0].strip() not in values]
    lines = [f"{name}={_quoted(name, value)}" for name, value in values.items()]
    return "\n".join([*kept, *lines, ""])


def _quoted(name: str, value: str) -> str:
    """A value as whoever reads such a file takes it: a shell, Compose, systemd."""
    if PLAIN.fullmatch(value):
        return value
    if "'" in value or not value.isprintable():
        raise BridgeError(f"init: {name}: has a quote or a control character in it, which .env cannot hold")
    return f"'{value}'"


def _head(plan: Plan) -> Iterator[str]:
    yield "# Panelbridge, set up by `panelbridge init`. All settings: docs/configuration.md, config.example.yaml"
    yield "# ${NAME} stands for what .env says under that name. `panelbridge check` finds every mistake in here."
    yield ""
    host = CONTAINER if plan.compose else HOST
    yield f"listen: {host}:8080  # for panels; put a reverse proxy before it where they are elsewhere"
    if plan.public_url:
        yield f"public_url: {_scalar(plan.public_url)}  # what panels reach it by"
    store = "sqlite:////var/lib/panelbridge/panelbridge.db" if plan.compose else "sqlite:///panelbridge.db"
    yield f"store: {store}  # what was taken in, and what became of it; relative to where the bridge is started"
    yield f"timezone: {plan.timezone}  # of times in messages, and of quiet hours"
    yield f"locale: {plan.locale}  # the language of messages: en, fa, ru"
    if plan.compose:
        yield f'admin: {{listen: {CONTAINER}:8081, token: "${{{ADMIN_TOKEN}}}"}}  # who has the token may look and act'
    chats = [name for name in plan.sinks if name in SERVICES]
    if chats:
        yield f"alerts: {{to: [{', '.join(chats)}]}}  # told what goes wrong with the bridge itself"


def _sources(plan: Plan) -> Iterator[str]:
    yield from ("", "sources:  # who tells; the name stands in the address that the panel posts to")
    for panel in plan.panels:
        yield f'  {panel}: {{panel: {panel}, secret: "${{{variable(panel, "secret")}}}"}}'


def _sinks(plan: Plan) -> Iterator[str]:
    yield from ("", "sinks:  # who is told")
    for type_, settings in plan.sinks.items():
        given = "".join(f", {setting}: {_scalar(value)}" for setting, value in settings.items())
        yield f"  {type_}: {{type: {type_}{given}}}"


def _routes(plan: Plan) -> Iterator[str]:
    yield from ("", "routes:  # what is told to whom: every row that matches applies, from the top")
    globs = ", ".join(map(_scalar, plan.globs()))
    yield f"  - match: [{globs}]"
    yield f"    to: [{', '.join(plan.sinks)}]"


def _scalar(value: object) -> str:
    """A value in YAML, of which JSON is a part."""
    text = str(value)
    plain = re.fullmatch(r"-?[0-9]+|[a-z][a-z0-9_.]*", text) and text not in ("true", "false", "null", "yes", "no")
    return text if plain else json.dumps(value, ensure_ascii=False)
