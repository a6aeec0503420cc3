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

#: Keys of `user` and `by` that only one panel of the family has.
MARKS = {
    "marzneshin": {"expire_strategy", "data_limit_reached", "owner_username", "all_services_access", "service_ids"},
    "pasarguard": {"proxy_settings", "group_ids", "group_names", "edit_at", "role", "sub_domain", "support_url"},
    "marzban": {"proxies", "inbounds", "excluded_inbounds", "links", "users_usage"},
}
