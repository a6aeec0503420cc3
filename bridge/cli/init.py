"""`init`: from a few answers to a file that `check` accepts, and what to paste into the panel."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

import typer

from bridge.cli.dialogue import Dialogue
from bridge.cli.names import check_locale, known_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.config.model import Config
    from bridge.setup.files import SetupPaths
    from bridge.setup.plan import Plan

TOLD = ("everything", "needed")
LOCALES = ("en", "fa", "ru")


def init(
    panel: Annotated[list[str] | None, typer.Option(help="A panel that tells, as marzban; may be repeated.")] = None,
    sink: Annotated[list[str] | None, typer.Option(help="A sink that is told, as webhook; may be repeated.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SINK.SETTING=VALUE", help="What a sink is told, as webhook.format=event."),
    ] = None,
    secret_files: Annotated[
        list[str] | None,
        typer.Option("--secret-file", metavar="SINK.SETTING=FILE", help="A secret, from a file of one line."),
    ] = None,
    tell: Annotated[str | None, typer.Option(help="everything, or needed: what somebody has to look at.")] = None,
    locale: Annotated[str | None, typer.Option(help="The language of messages: en, fa, ru.")] = None,
    timezone: Annotated[str | None, typer.Option(help="The zone of times in messages, as Asia/Tehran.")] = None,
    public_url: Annotated[str | None, typer.Option(help="What panels reach the bridge by, through a proxy.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write, config.yaml if not given; with --compose the folder.")
    ] = None,
    compose: Annotated[bool, typer.Option("--compose", help="Write a compose.yaml too, and the rest for it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: all is said in the command.")] = False,
    test: Annotated[
        bool | None,
        typer.Option("--test/--no-test", help="Send a test message to each sink, or not.", show_default=False),
    ] = None,
) -> None:
    """Set the bridge up: write the file and .env, and say what to paste into the panel.

    A secret is typed, comes from a file, or from the environment, as DISCORD_URL: never in the command, which everyone
    on the machine can read. Each service is asked, and nothing is sent before you say so.
    """
    from bridge.cli.init_sinks import chosen_sinks
    from bridge.setup.files import places, refuse_to_replace
    from bridge.setup.making import make
    from bridge.setup.plan import Plan, known_panels
    from bridge.setup.questions import QUESTIONS

    _check_names(panel or (), sink or (), tell, locale)
    wanted = places(out, compose=compose)
    if not force:
        refuse_to_replace(wanted)
    dialogue = Dialogue(silent=yes)
    panels = panel or dialogue.choices("Which panel?", known_panels(), "--panel")
    types = sink or dialogue.choices("Who is told?", {one: one for one in QUESTIONS}, "--sink")
    sinks = asyncio.run(chosen_sinks(types, settings or (), secret_files or (), dialogue, os.environ))
    plan = Plan(
        panels=tuple(dict.fromkeys(panels)),
        sinks=sinks,
        told=tell or dialogue.choice("What is told?", TOLD, "--tell", default="needed"),
        locale=locale or dialogue.choice("Language of messages", LOCALES, "--locale", default="en"),
        timezone=timezone or dialogue.text("Time zone", "--timezone", default=_own_zone()),
        public_url=public_url,
        compose=compose,
    )
    plan, config = make(plan, wanted)
    _tell_written(wanted, dialogue)
    _tell_paste(plan, config, dialogue)
    failed = _sends_tests(test, plan, dialogue) and not _send_tests(config, dialogue)
    dialogue.say(_next(wanted, config))
    raise typer.Exit(1 if failed else 0)


def _own_zone() -> str:
    """This machine's zone; UTC where it does not say."""
    name = Path("/etc/localtime").resolve().as_posix().partition("zoneinfo/")[2]
    try:
        return str(ZoneInfo(name or "UTC"))
    except (LookupError, OSError, ValueError):
        return "UTC"


def _check_names(panels: "Sequence[str]", sinks: "Sequence[str]", tell: str | None, locale: str | None) -> None:
    from bridge.setup.plan import known_panels
    from bridge.setup.questions import QUESTIONS

    check_locale(locale)
    for name in panels:
        known_name("panel to be set up so is called", name, known_panels())
    for name in sinks:
        known_name("sink is called", name, QUESTIONS)
    if tell is not None:
        known_name("choice is called", tell, TOLD)


def _tell_written(wanted: "SetupPaths", dialogue: Dialogue) -> None:
    dialogue.say()
    notes = {wanted.config: "what is told to whom", wanted.dotenv: "its secrets, for your eyes only"}
    for file in wanted.all():
        dialogue.say(f"written   {file}   {notes.get(file, 'what Compose reads')}")
    dialogue.say("          ✓ panelbridge check")


def _tell_paste(plan: "Plan", config: "Config", dialogue: Dialogue) -> None:
    """The lines for each panel, with the secret in them: they are copied from here."""
    from bridge.config.endpoints import endpoints, secret_placeholder
    from bridge.setup.questions import variable

    for one in endpoints(config):
        secret = plan.secrets[variable(one.name, "secret")]
        placeholder = secret_placeholder(one.name, config.sources[one.name])
        dialogue.say(f"\npaste into {one.panel}'s settings; the secret stands in .env too:\n")
        for line in one.paste:
            dialogue.say(f"    {line.replace(quote(placeholder), secret).replace(placeholder, secret)}")


def _sends_tests(test: bool | None, plan: "Plan", dialogue: Dialogue) -> bool:
    if test is not None or not plan.sinks:
        return bool(test)
    return not dialogue.silent and dialogue.confirm("\nSend a test message to each now?", default=True)


def _send_tests(config: "Config", dialogue: Dialogue) -> bool:
    """Send one to each; whether all were delivered."""
    from bridge.cli.messages import send_sample
    from bridge.outcome import Delivered

    all_delivered = True
    for name in config.all_sinks():
        outcome = asyncio.run(send_sample(config, name)).outcome
        delivered = isinstance(outcome, Delivered)
        reason = "delivered" if delivered else getattr(outcome, "reason", "it asks to wait")
        dialogue.say(f"{name:9} {'✓' if delivered else '✗'} {reason}")
        all_delivered &= delivered
    return all_delivered


def _next(wanted: "SetupPaths", config: "Config") -> str:
    from bridge.config.endpoints import local_url

    if wanted.compose is not None:
        compose = f"docker compose --file {wanted.compose}"
        start, ask = f"{compose} up --detach", f"{compose} exec panelbridge panelbridge doctor"
    else:
        named = "" if wanted.config == Path("config.yaml") else f" {wanted.config}"
        start, ask = f"panelbridge run{named}", f"panelbridge doctor{named}"
    look = local_url(config.admin_side().listen or "")
    return f"\nstart it      {start}\nlook at it    {look}\nask it        {ask}"
