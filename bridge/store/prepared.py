"""Core statements that are compiled once: what runs for every event should not be looked up for every event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

Values = Mapping[str, Any]


def read(connection: sa.Connection, statement: sa.ClauseElement, values: Values) -> Sequence[sa.Row[Any]]:
    """The rows that a statement finds. Values go to the driver as they are."""
    compiled = _compiled(statement, connection.dialect)
    return connection.exec_driver_sql(compiled.sql, compiled.arrange(values)).all()


def write(connection: sa.Connection, statement: sa.ClauseElement, rows: Iterable[Values]) -> None:
    """Execute a statement for each row, straight on the driver: it answers nothing that SQLAlchemy could wrap."""
    compiled = _compiled(statement, connection.dialect)
    cursor = connection.connection.cursor()
    cursor.executemany(compiled.sql, [compiled.arrange(row) for row in rows])
    cursor.close()


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    names: Sequence[str] | None  # the parameters in their order, where the driver counts them
    own: Values  # what the statement gives itself

    def arrange(self, values: Values) -> Any:
        if self.names is None:
            return {**self.own, **values}
        return tuple(values[name] if name in values else self.own[name] for name in self.names)


@cache
def _compiled(statement: sa.ClauseElement, dialect: sa.Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
    return _Compiled(str(compiled), compiled.positiontup, compiled.params)
