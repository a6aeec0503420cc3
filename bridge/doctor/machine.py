"""The machine: whether the bridge runs here, who has its ports, how much may be open at once."""

import resource
from collections.abc import Iterator

from yarl import URL

from bridge.config.endpoints import local_url
from bridge.config.model import Config
from bridge.doctor.row import look, ok, unknown, wrong
from bridge.errors import BridgeError
from bridge.foreign import json_object
from bridge.ingress.connections import KEPT_BACK
from bridge.listening import bound_socket
from bridge.sinks.http import Http, Request, Unanswered
from bridge.sinks.reachability import Finding

#: Where each port says that it is the bridge's.
ALIVE, READY = "healthz", "readyz"


def descriptor_findings(config: Config) -> Iterator[Finding]:
    """Whether as many connections may be open as the file says."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = config.limits.connections + KEPT_BACK
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        yield ok(f"{config.limits.connections} connections at once fit into what may be open")
        return
    todo = f"Raise it to {wanted}: LimitNOFILE of its unit, or ulimits in compose.yaml."
    yield look(f"only {hard} files may be open, and limits.connections is {config.limits.connections}", todo)


async def port_findings(config: Config, http: Http, *, within: float) -> Iterator[Finding]:
    """What answers where the bridge listens, for panels and for whoever looks at it."""
    admin = config.admin_side().listen
    found = [await _ingress(config.listen, http, within)]
    if admin is not None:
        found.append(await _port("admin.listen", "the admin side", admin, http, within))
    return iter(found)


async def _ingress(listen: str, http: Http, within: float) -> Finding:
    found = await _port("listen", "the bridge", listen, http, within)
    if "runs" not in found.text:
        return found
    try:
        response = await http.send(Request("GET", URL(local_url(listen)) / READY), within=within)
    except Unanswered:
        return found
    reason = json_object(response.body).get("error")
    return found if response.status == 200 else wrong(f"{found.text}, and takes nothing: {reason}", "See its store.")


async def _port(setting: str, what: str, listen: str, http: Http, within: float) -> Finding:
    """Whether it is the bridge that answers there, nobody, or another program."""
    if listen.endswith(":0"):
        return unknown(f"{setting}: any port that is free")
    try:
        response = await http.send(Request("GET", URL(local_url(listen)) / ALIVE), within=within)
    except Unanswered:
        return _free(setting, what, listen)
    if json_object(response.body).get("status") == "ok":
        return ok(f"{what} runs, and answers on {listen}")
    return wrong(f"{setting}: another program answers on {listen}", "End it, or give the bridge another port.")


def _free(setting: str, what: str, listen: str) -> Finding:
    try:
        with bound_socket(listen, setting=setting):
            return unknown(f"{what} does not run here: nobody listens on {listen}, and the port is free")
    except BridgeError as error:
        return wrong(str(error), "Give it another port, or a user who may have this one.")
