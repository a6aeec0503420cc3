"""What to do about what Telegram says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (r"HTTP 401|HTTP 404", N_("The token is wrong or was revoked. Ask @BotFather for the bot’s token.")),
    (r"set chat_id to", N_("The group has become a supergroup: put the new chat_id into the file.")),
    (r"parse entities", N_("The template makes HTML that Telegram does not know: mend it.")),
    (r"thread not found|topic_", N_("The topic was closed or deleted. Open it again, or name another one.")),
    (
        r"HTTP 403|chat not found|kicked|blocked",
        N_("The bot is not in the chat. Add it again, or mend the chat_id."),
    ),
)
