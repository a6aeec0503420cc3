"""Whether an event is of that subject, type or owner: conditions that the indexes of `schema.py` know."""

from typing import Any

import sqlalchemy as sa

from bridge.store.schema import events, text_head


def is_about(subject: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
    """Whether an event's subject is that one, found by the index `events_subject`."""
    return _is_same(events.c.subject, subject)


def is_of_type(type_: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
    """Whether an event's type is that one, found by the index `events_type`."""
    return _is_same(events.c.type, type_)


def is_of_owner(realm: str, name: str) -> sa.ColumnElement[bool]:
    """Whether an event speaks of a user of that owner, found by the index `events_owner`."""
    return sa.and_(events.c.realm == realm, _is_same(events.c.owner, name))


def _is_same(column: sa.ColumnElement[Any], value: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
    """Why no `=`: of `subject = ?` SQLite would put the value into the index's expression too, and then know it no
    more.
    """
    text = sa.literal(value) if isinstance(value, str) else value
    return sa.and_(text_head(column) == text_head(text), column >= text, column <= text)
