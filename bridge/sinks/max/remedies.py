"""What to do about what MAX says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"verify\.token|Invalid access_token|HTTP 401",
        N_("The token is wrong or was revoked. Take it from business.max.ru."),
    ),
    (
        r"suspended",
        N_("The person has stopped the bot, or MAX has not let the bot through yet. Have them start it again."),
    ),
    (
        r"chat\.not\.found|chat\.denied|access\.denied|not\.found|HTTP 40[34]",
        N_("The bot is not in the chat. Add it, or mend the chat_id; a person is reached by user_id."),
    ),
    (r"certificate", N_("Name the file with MAX’s root certificate under ca of the sink.")),
)
