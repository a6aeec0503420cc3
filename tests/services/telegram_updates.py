"""What people do to Telegram's bot, and how it is told of that: getUpdates, as strict as the real one.

Source   core.telegram.org/bots/api#getupdates, #update, #callbackquery, #answercallbackquery
"""

import asyncio
import time
from typing import Any

from aiohttp import web

from tests.services.service import Service

#: What is not told where nobody says of what.
UNASKED = ("chat_member", "message_reaction", "message_reaction_count")


class Updates(Service):
    """`updates` are those that nobody has confirmed; `webhook` is where they go instead, and `polled` whether somebody
    else asks for them, again and again. `asked`: the parameters of everyone who did; `told`: the ids that each was
    told. `patient`: seconds that a question is kept open at the most. `pressed`: the buttons still to be answered.
    `messages`: (chat, id) → the message that is there; `written` → the text of what somebody wrote, `deleted`: those
    texts of it that are there no more.
    """

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.messages: dict[tuple[int | str, int], dict[str, Any]] = {}
        self.written: dict[tuple[int | str, int], str] = {}
        self.deleted: list[str] = []
        self.updates: list[dict[str, Any]] = []
        self.webhook = ""
        self.polled = False
        self.asked: list[dict[str, Any]] = []
        self.told: list[list[int]] = []
        self.patient = 0.0
        self.pressed: set[str] = set()
        self.last = 0
        self._update = 0

    async def told_of(self, asked: dict[str, Any]) -> web.Response:
        """Those that nobody has confirmed. An `offset` confirms all before it, a negative one all but so many.

        Where there are none, the question is kept open for its `timeout`, as far as this one is `patient`; who asks
        meanwhile ends that, and has the answer.
        """
        self.asked.append(asked)
        if wrong := [key for key in asked if key not in ("offset", "limit", "timeout", "allowed_updates")]:
            return self.error(400, f"Bad Request: {wrong[0]} is no parameter of getUpdates")
        if self.webhook:
            what = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            return self.error(409, f"Conflict: {what}")
        if (offset := asked.get("offset")) is not None:
            self.updates = [one for one in self.updates if one["update_id"] >= offset] if offset >= 0 else []
        mine, ends = len(self.asked), time.monotonic() + min(asked.get("timeout", 0), self.patient)
        while not self.updates and time.monotonic() < ends and len(self.asked) == mine:
            await asyncio.sleep(0.01)
        if self.polled or len(self.asked) != mine:
            what = "terminated by other getUpdates request; make sure that only one bot instance is running"
            return self.error(409, f"Conflict: {what}")
        wanted = asked.get("allowed_updates")
        shown = [one for one in self.updates if _is_wanted(one, wanted)]
        self.told.append([one["update_id"] for one in shown[: asked.get("limit", 100)]])
        return ok(shown[: asked.get("limit", 100)])

    def hears(self, **update: Any) -> int:
        """Somebody does something that the bot is told of; the update's id."""
        self._update += 1
        self.updates.append({"update_id": self._update, **update})
        return self._update

    def writes(self, chat: int, text: str, *, language: str = "en", **more: Any) -> int:
        """Whoever is in a private chat writes to the bot."""
        self.last += 1
        self.written[(chat, self.last)] = text
        said = {"message_id": self.last, "date": 1732160058, **a_private_chat(chat, language), "text": text, **more}
        return self.hears(message=said)

    def presses(self, chat: int, text: str, *, language: str = "en") -> int:
        """They press the button that says so, under the last message that has such a one."""
        found = [(id_, one) for (there, id_), one in self.messages.items() if there == chat and "reply_markup" in one]
        id_, data = next(
            (id_, button["callback_data"])
            for id_, message in reversed(found)
            for row in message["reply_markup"]["inline_keyboard"]
            for button in row
            if button["text"] == text
        )
        self.pressed.add(press := f"press-{self._update + 1}")
        both = a_private_chat(chat, language)
        under = {"message_id": id_, "date": 1732160058, "chat": both["chat"]}
        return self.hears(
            callback_query={"id": press, "from": both["from"], "message": under, "chat_instance": "1", "data": data}
        )

    def press_answered(self, asked: dict[str, Any]) -> web.Response:
        """Once for each press, and soon."""
        if asked.get("callback_query_id") not in self.pressed:
            what = "query is too old and response timeout expired or query ID is invalid"
            return self.error(400, f"Bad Request: {what}")
        self.pressed.remove(asked["callback_query_id"])
        return ok(True)

    def error(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> web.Response:
        self.refuse(f"{code} {description}")
        said: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        headers = {"Retry-After": str((parameters or {})["retry_after"])} if code == 429 else None
        return web.json_response(
            said | ({"parameters": parameters} if parameters else {}), status=code, headers=headers
        )


def _is_wanted(update: dict[str, Any], wanted: list[str] | None) -> bool:
    kinds = update.keys() - {"update_id"}
    return bool(kinds & set(wanted)) if wanted else not kinds & set(UNASKED)


def a_private_chat(id_: int, language: str = "en") -> dict[str, Any]:
    """Whoever writes in a private chat, and the chat: they have one number."""
    person = {"id": id_, "is_bot": False, "first_name": "A", "language_code": language}
    return {"from": person, "chat": {"id": id_, "type": "private", "first_name": "A"}}


def ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})
