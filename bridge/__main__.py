"""Where the command `panelbridge`, or `python -m bridge`, begins."""

import gc
import os


def main() -> None:
    gc.disable()  # nothing that a start makes is garbage; the bridge turns it on again when it stands
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # it would look through every installed package
    from bridge.cli import main as command

    command()


if __name__ == "__main__":
    main()
