"""The floor of a start and of idle memory: imports what a bridge imports, and listens."""

import sys
from importlib import import_module

LIBRARIES = ("aiohttp", "uvloop", "pydantic", "sqlalchemy", "jinja2", "yaml", "msgspec", "uuid_utils")


def main() -> None:
    for name in LIBRARIES:
        import_module(name)
    from bench.bare import main as listen

    listen()


if __name__ == "__main__":
    assert sys.argv[1:], "a port"
    main()
