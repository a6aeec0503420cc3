"""What to do about what Matrix says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"M_UNKNOWN_TOKEN|M_MISSING_TOKEN|M_UNAUTHORIZED",
        N_("The access token is wrong or was revoked, as by logging out. Log in anew, for the bridge alone."),
    ),
    (
        r"M_FORBIDDEN|M_GUEST_ACCESS_FORBIDDEN|M_UNABLE_TO",
        N_("The account may not speak in the room. Invite it, or raise its level; the bridge joins by itself."),
    ),
    (r"M_NOT_FOUND|M_BAD_ALIAS", N_("There is no such room on this homeserver. Mend room, or invite the account.")),
    (
        r"M_USER_|M_CONSENT_NOT_GIVEN|EXPIRED_ACCOUNT",
        N_("The account was locked or has to agree to something. Log in with a client, and see what it asks."),
    ),
    (r"M_RESOURCE_LIMIT_EXCEEDED", N_("The homeserver is full. Ask whoever runs it.")),
    (
        r"M_UNRECOGNIZED",
        N_("There is no homeserver at this address: give the one that your client names, without a path."),
    ),
    (r"M_TOO_LARGE|HTTP 413", N_("The message is longer than the homeserver takes: shorten the template.")),
)
