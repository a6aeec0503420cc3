"""The files of the bridges of a run: which panel and sinks there are, and what rows ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.panels import SECRET
from tests.chaos.sinks import TEMPLATE
from tests.services import discord, telegram


@dataclass
class ChaosSettings:
    """What changes in the course of a run. `timeout`: seconds, of one sink; `quiet`: the setting of another."""

    keep: int = 30
    timeout: float = 2.0
    quiet: str = ""


def write_templates(folder: Path) -> None:
    """Templates by which chats say which event it is."""
    for service in ("discord", "telegram"):
        (folder / service).mkdir(parents=True)
    (folder / "discord" / "base.j2").write_text(
        '{% extends "shipped/discord/base.j2" %}\n{% block description %}' + TEMPLATE + "{% endblock %}\n"
        "{% block fields %}{% endblock %}\n"
    )
    (folder / "telegram" / "base.j2").write_text("{% block text %}" + TEMPLATE + "{% endblock %}")


def written(settings: ChaosSettings, at: Mapping[str, str], *, port: int, store: str) -> str:
    """The file; `at` is where the services are."""
    retry = "jitter: 0.1, waits: [0.2s, 0.5s, 1s]"
    fast = f"rate: unlimited, timeout: 2s, retry: {{max_retries: 100, {retry}}}"
    shop = fast.replace("2s,", f"{settings.timeout:g}s,", 1)
    hook = f"/api/webhooks/{discord.ID}/{discord.TOKEN}"
    chat = f"storm: null, timeout: 2s, retry: {{max_retries: 100, {retry}}}"
    return f"""
listen: 127.0.0.1:{port}
store: {store}
keep: {settings.keep}d
templates: templates
sources:
  panel: {{panel: json, secret: {SECRET}, type: body.kind, subject: body.about}}
sinks:
  shop: {{type: webhook, url: '{at["shop"]}/hook', {shop}}}
  fast: {{type: webhook, url: '{at["fast"]}/hook', concurrency: 8, {fast}}}
  flaky: {{type: webhook, url: '{at["flaky"]}/hook', {fast.replace("max_retries: 100", "max_retries: 2")}}}
  spare: {{type: webhook, url: '{at["spare"]}/hook', {fast}}}
  nodes: {{type: webhook, url: '{at["nodes"]}/hook', {fast}}}
  night: {{type: webhook, url: '{at["night"]}/hook', {fast}{settings.quiet}}}
  chat: {{type: discord, url: '{at["chat"]}{hook}', {chat}}}
  group: {{type: telegram, token: '{telegram.TOKEN}', chat_id: -1001, api_base: '{at["group"]}', {chat}}}
  board: {{type: telegram, token: '{telegram.TOKEN}', chat_id: 42, api_base: '{at["board"]}', {chat}}}
routes:
  - {{match: user.*, to: flaky, fallback: spare, fallback_after: 3s}}
  - {{match: user.*, to: [shop, fast]}}
  - {{match: node.*, to: nodes, hold: 1s}}
  - {{match: alert.*, to: chat, digest: {{window: 3s, max: 9}}}}
  - {{match: alert.*, to: group, digest: {{window: 5s, max: 9}}}}
  - {{match: note.*, to: night}}
  - {{match: task.*, to: board, update: subject}}
"""
