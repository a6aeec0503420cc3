"""Files beside a Discord message, as strict as the real one: a form with payload_json and files[n].

Source   discord.com/developers/docs/reference#uploading-files
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from tests.services.forms import File, NoForm, form_in
from tests.services.service import parsed


def payload_of(request: web.Request, body: bytes) -> tuple[Any, dict[str, File]]:
    """The JSON of a request, and the files that are beside it in a form; raise NoForm."""
    if request.content_type == "application/json":
        return parsed(body), {}
    form = form_in(request, body)
    if set(form.texts) != {"payload_json"}:
        raise NoForm(f"payload_json: alone beside files, not {sorted(form.texts)}")
    return parsed(form.texts["payload_json"].encode()), form.files


def file_faults(message: dict[str, Any], files: Mapping[str, File]) -> Iterator[str]:
    """What is wrong between the files, what is said of them, and where they are shown."""
    attached = message.get("attachments") or []
    names = [files[name].filename if (name := f"files[{one.get('id')}]") in files else None for one in attached]
    if len(attached) != len(files) or names != [one.get("filename") for one in attached]:
        yield f"attachments: {attached} are not the files {sorted(files)}"
    for file in files.values():
        file.picture()
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", file.filename):
            yield f"files: {file.filename} would be called otherwise"
    for embed in message.get("embeds") or []:
        url = (embed.get("image") or {}).get("url", "")
        if url.startswith("attachment://") and url.removeprefix("attachment://") not in names:
            yield f"embeds: {url} is no file of the message"
