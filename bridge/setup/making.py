"""From a plan to files that stand where they belong, and to what they say."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.config.dotenv import with_dotenv
from bridge.config.load import load
from bridge.config.model import Config
from bridge.errors import BridgeError, ConfigError
from bridge.setup.files import PRIVATE, SHOWN, SetupPaths, read, write
from bridge.setup.plan import Plan, new_secret, with_variables
from bridge.setup.questions import variable
from bridge.setup.writing import ADMIN_TOKEN, COMPOSE, dotenv_text, file_text
from bridge.value import replace


def make(plan: Plan, wanted: SetupPaths) -> tuple[Plan, Config]:
    """Write all of it: the plan as it became, with its secrets, and the settings that the file gives.

    Raise BridgeError before anything is written where `check` would not take the file.
    """
    sinks, values = with_variables(plan.sinks)
    known = with_dotenv(wanted.dotenv.parent, os.environ).values  # what a panel has already need not be pasted again
    names = [*(variable(panel, "secret") for panel in plan.panels), *[ADMIN_TOKEN] * plan.compose]
    values |= {name: known.get(name) or new_secret() for name in names}
    plan = replace(plan, sinks=sinks, secrets=values)
    text = file_text(plan)
    config = _checked(text, plan)
    texts = {
        wanted.config: (text, SHOWN),
        wanted.dotenv: (dotenv_text(plan.secrets, before=read(wanted.dotenv)), PRIVATE),
    }
    if wanted.compose is not None:
        texts[wanted.compose] = (COMPOSE, SHOWN)
    write(texts)
    return plan, config


def _checked(text: str, plan: Plan) -> Config:
    """What `check` makes of it, with the secrets that it will find."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(text, "utf-8")
        try:
            return load(file, {**os.environ, **plan.secrets}).config
        except ConfigError as error:
            said = "; ".join(one.text for one in error.mistakes)
            raise BridgeError(f"init: nothing was written, for the file would be wrong: {said}") from None
