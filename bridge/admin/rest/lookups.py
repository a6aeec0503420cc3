"""What a call names, looked up in the file, and how a row of it reads."""

from bridge.admin.language import language
from bridge.admin.rest.endpoint import Call
from bridge.admin.rest.response_models import RowThen
from bridge.admin.rows import row_text
from bridge.errors import UnknownName, suggestion
from bridge.routing import Route

WORDS = language("en")  # programs are answered in English


def known_sink(call: Call, name: str) -> str:
    """The name; raise UnknownName where the file names no such sink."""
    if name not in call.state.sinks:
        raise UnknownName(f'no sink named "{name}": {suggestion(name, call.state.sinks)}')
    return name


def service_of(call: Call, sink: str) -> str | None:
    """What kind of sink it is; None where the file does not name it."""
    settings = call.state.sinks.get(sink)
    return settings.type if settings is not None else None


def row_then(name: str, route: Route) -> RowThen:
    """A row of a table as the file says it, or said it."""
    return RowThen(
        name=name,
        takes=row_text(route),
        to=route.to,
        fallback=route.fallback,
        template=route.template,
        stop=route.stop,
    )
