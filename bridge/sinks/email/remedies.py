"""What to do about what a mail server says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"SMTP 53[0458]|to AUTH|5\.7\.8",
        N_("The server does not take the login. Mend username and password; many want an app password."),
    ),
    (r"to STARTTLS", N_("The server has no STARTTLS at this port. Try port 465 with encryption: tls.")),
    (
        r"5\.1\.[78]|5\.7\.60|sender|\bfrom\b.*not (allowed|owned)",
        N_("The server takes no mail from this sender. Put an address of this login under from."),
    ),
    (
        r"5\.7\.2[3567]|spf|dkim|dmarc|ptr|reverse dns|unauthenticated",
        N_("The sender’s domain does not prove itself. Set SPF and DKIM in its DNS, or send through its own server."),
    ),
    (
        r"relay",
        N_("The server carries nothing there for strangers. Give username and password, or another server."),
    ),
    (
        r"5\.1\.|5\.4\.1|5\.2\.1|no such|unknown|does not exist",
        N_("Nobody has this mailbox. Mend the address under to."),
    ),
    (r"[45]\.2\.2|full", N_("The mailbox is full. Its owner has to tidy it up; letters are kept until then.")),
    (
        r"5\.7\.|spam|block",
        N_("The server takes us for a nuisance. Ask its operator, or send through another server."),
    ),
)
