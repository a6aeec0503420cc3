"""The states that panels name, in our words."""

from bridge.vocabulary.types import N_

#: The states that panels say, in our words.
STATES = {
    "active": N_("active"),
    "enabled": N_("active"),
    "disabled": N_("disabled"),
    "limited": N_("limited"),
    "expired": N_("expired"),
    "on_hold": N_("on hold"),
    "pending": N_("pending"),
    "received": N_("received"),
    "paid": N_("paid"),
    "completed": N_("completed"),
    "success": N_("completed"),
    "succeeded": N_("completed"),
    "failed": N_("failed"),
    "refunded": N_("refunded"),
    "cancelled": N_("cancelled"),
    "canceled": N_("cancelled"),
    "trial": N_("trial"),
    "connected": N_("connected"),
    "disconnected": N_("disconnected"),
    "error": N_("error"),
    "inbound": N_("inbound"),
    "outbound": N_("outbound"),
    "management": N_("management"),
    "transit": N_("transit"),
    "monitoring": N_("monitoring"),
    "reserve": N_("reserve"),
    "blocked": N_("blocked"),
    "flagged": N_("flagged"),
    "deprecated": N_("deprecated"),
    "unknown": N_("unknown"),
}

#: How often a panel sets a traffic counter back to zero; "" where it never does.
STRATEGIES = {
    "no_reset": "",
    "none": "",
    "never": "",
    "day": N_("every day"),
    "daily": N_("every day"),
    "week": N_("every week"),
    "weekly": N_("every week"),
    "month": N_("every month"),
    "monthly": N_("every month"),
    "month_rolling": N_("every month"),
    "year": N_("every year"),
    "yearly": N_("every year"),
}
