"""Apprise itself, imported when it is needed: its plug-ins build and read, and what they send goes out by our sockets.

Source   PyPI apprise 2.2.0: apprise/plugins/base.py (notify, throttle), apprise/asset.py; PyPI requests (models.py)
Quirks   a plug-in asks by the module `requests` and blocks until it is answered, so that each runs in a thread; what
         stands in its module for `requests` hands every request to the house's `Http`: with the sink's proxy, its
         deadline, no redirects, and the status and the words of each answer are seen
         a plug-in waits between two messages by itself: the lane does that here
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any

from yarl import URL

from bridge.event import JsonObject
from bridge.sinks.http import Request, Response, Unanswered

PACKAGE = "apprise"
INSTALL = "wants Apprise, which is not installed: pip install 'panelbridge[apprise]'"
THREADS = 64  # messages on their way at once; each waits for its answer in one

#: Gives the answer to a request, in the thread that waits for it.
Ask = Callable[[Request], Response]

_ask: ContextVar[Ask] = ContextVar("ask")


class Threads:
    """Where plug-ins run: threads of their own, for those of the loop look up names."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    async def run(self, url: str, content: JsonObject, ask: Ask) -> bool:
        """Apprise's yes or no to a message, each of whose requests is answered by `ask`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, notified, url, content, ask)

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def is_installed() -> bool:
    return find_spec(PACKAGE) is not None


def targets(url: str) -> int:
    """How many are told at an address; 0 where Apprise cannot read it."""
    plugin = _plugin(url)
    return len(plugin) if plugin is not None else 0


def notified(url: str, content: JsonObject, ask: Ask) -> bool:
    """Hand the message to Apprise; raise ModuleNotFoundError where there is none."""
    plugin = _plugin(url)
    if plugin is None:
        return False
    before = _ask.set(ask)
    try:
        return plugin.notify(body=content["body"], title=content["title"], body_format=content["format"]) is True
    finally:
        _ask.reset(before)


def _plugin(url: str) -> Any:
    """What speaks to the service, with our requests in the place of its own; None where the address is none of its."""
    import apprise

    _silence()
    asset = apprise.AppriseAsset(
        app_id="Panelbridge",
        app_desc="Panelbridge",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=None,
    )
    plugin = apprise.Apprise.instantiate(url, asset=asset)
    if plugin is None or not type(plugin).__module__.startswith("apprise.plugins."):
        return None
    plugin.request_rate_per_sec = 0
    module: Any = sys.modules[type(plugin).__module__]
    if not isinstance(module.requests, _Requests):
        module.requests = _Requests(module.requests)
    return plugin


def _silence() -> None:
    """Apprise logs payloads and addresses; what is worth saying of them we say ourselves."""
    log = logging.getLogger("apprise")
    log.propagate = False
    log.handlers[:] = [logging.NullHandler()]


class _Requests:
    """What stands in a plug-in's module for `requests`: the same, but that whatever is sent is answered by `_ask`."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name in ("session", "Session", "sessions"):
            raise AttributeError(f"no plug-in that may be used keeps a session: {name}")
        return getattr(self._real, name)

    def request(
        self,
        method: str,
        url: str,
        *,
        verify: object = None,
        timeout: object = None,
        allow_redirects: object = None,
        **said: Any,
    ) -> Any:
        prepared = self._real.Request(method, url, **said).prepare()
        body = prepared.body or b""
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "content-length"}
        whole = body.encode() if isinstance(body, str) else bytes(body)
        try:
            answer = _ask.get()(Request(prepared.method, URL(prepared.url, encoded=True), whole, headers))
        except Unanswered as error:
            raise self._real.ConnectionError(str(error)) from None
        response = self._real.Response()
        response.status_code, response._content, response.url = answer.status, answer.body, prepared.url
        response.headers.update(answer.headers)
        return response

    def get(self, url: str, **said: Any) -> Any:
        return self.request("GET", url, **said)

    def post(self, url: str, data: Any = None, json: Any = None, **said: Any) -> Any:
        return self.request("POST", url, data=data, json=json, **said)

    def put(self, url: str, data: Any = None, **said: Any) -> Any:
        return self.request("PUT", url, data=data, **said)
