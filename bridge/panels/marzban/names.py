"""What Marzban and its forks call what happened, and how their elements differ."""

#: What Marzban and PasarGuard call what happened.
TYPES = {
    "user_created": "user.created",
    "user_updated": "user.updated",
    "user_deleted": "user.deleted",
    "user_enabled": "user.enabled",
    "user_disabled": "user.disabled",
    "user_limited": "user.limited",
    "user_expired": "user.expired",
    "reached_days_left": "user.expiring",
    "reached_usage_percent": "user.usage_threshold",
    "data_usage_reset": "user.usage_reset",
    "data_reset_by_next": "user.plan_advanced",
    "subscription_revoked": "user.subscription_revoked",
}

#: Marzneshin's own words.
MARZNESHIN_TYPES = {"user_activated": "user.enabled", "user_deactivated": "user.disabled"}

#: Rebecca's: the panel in Go tells of admins, the one in Python has more of Marzban's.
REBECCA_TYPES = {
    **{name: type_ for name, type_ in TYPES.items() if not name.startswith("reached_")},
    "auto_renew_set": "user.updated",
    "auto_renew_applied": "user.plan_advanced",
    "admin_created": "admin.created",
    "admin_updated": "admin.updated",
    "admin_deleted": "admin.deleted",
    "admin_usage_reset": "admin.usage_reset",
}

#: Keys of `user` and `by` that only one panel of the family has, or that tell it from those below.
MARKS = {
    "rebecca": {"credential_key", "ip_limit", "service_host_orders", "disabled_reason", "users_limit"},
    "marzneshin": {"expire_strategy", "data_limit_reached", "owner_username", "all_services_access", "service_ids"},
    "pasarguard": {"proxy_settings", "group_ids", "group_names", "edit_at", "role", "sub_domain", "support_url"},
    "marzban": {"proxies", "inbounds", "excluded_inbounds", "links", "users_usage"},
}
