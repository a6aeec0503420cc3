"""The one fact of an event that matters most, for the line under its title."""

from typing import Any

from bridge.event import Event
from bridge.foreign import object_at
from bridge.messages.rows import Style, left, time_left
from bridge.messages.values import HOUR


def gist(event: Event, style: Style) -> Any:
    """The one fact that matters most, None where the title says it all."""
    formats = style.formats
    usage, expiry, payment, reseller, billing, device = (
        object_at(event.data, key) for key in ("usage", "expiry", "payment", "reseller", "billing", "device")
    )
    match event.type:
        case _ if style.ended:
            return formats.after(style.ended[1])
        case "user.usage_threshold" | "user.usage_abnormal" | "node.usage_threshold":
            return formats.percent(usage.get("percent") or object_at(event.data, "node").get("percent"))
        case "user.expiring" | "user.expired_reminder":
            return time_left(expiry, style) or formats.until(expiry.get("at"), style.now)
        case "node.payment_due" | "node.payment_overdue":
            return left(billing.get("hours"), HOUR, formats) or formats.until(billing.get("due_at"), style.now)
        case "reseller.credit_added" | "reseller.credit_deducted":
            return formats.signed(reseller.get("amount"), "+" if event.type.endswith("added") else "−")
        case "user.action":
            return formats.brief(event.data.get("action"), 80)
        case type_ if type_.startswith("device."):
            return formats.brief(device.get("name") or device.get("model"), 80)
        case _:
            return formats.money(payment.get("amount"), payment.get("currency"))
