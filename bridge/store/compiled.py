"""Core statements that are compiled once: what runs for every event should not be looked up for every event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from bridge.store.backend import backend_of

Parameters = Mapping[str, Any]
SIZES = (1, 10, 100)  # texts that statements with `any_of` are compiled for
MOST = SIZES[-1]
#: The statement that looks for any of so many texts; the same one each time.
AnyOf = Callable[[int], sa.ClauseElement]


def _text(number: int) -> str:
    return f"text_{number}_"


NO_VALUES: Parameters = {}


def read(connection: sa.Connection, statement: sa.ClauseElement, values: Parameters) -> Sequence[sa.Row[Any]]:
    """The rows that a statement finds. Values go to the driver as they are."""
    compiled = compiled_statement(statement, connection.dialect)
    return connection.exec_driver_sql(compiled.sql, compiled.parameters(values)).all()


def any_of(column: sa.ColumnElement[str], many: int) -> sa.ColumnElement[bool]:
    """Whether it is one of so many texts, which `read_any` gives a statement."""
    return column.in_([sa.bindparam(_text(number)) for number in range(many)])


def read_any(
    connection: sa.Connection, statement: AnyOf, texts: Sequence[str], values: Parameters = NO_VALUES
) -> Iterator[sa.Row[Any]]:
    """The rows that a statement finds for any of these texts, however many they are."""
    for start in range(0, len(texts), MOST):
        some = texts[start : start + MOST]
        many = next(size for size in SIZES if size >= len(some))
        numbered = {_text(number): text for number, text in zip_longest(range(many), some)}
        yield from read(connection, statement(many), {**numbered, **values})


def tuples(connection: sa.Connection, statement: sa.ClauseElement, values: Parameters) -> Sequence[tuple[Any, ...]]:
    """The same as the driver gives them: a tenth of the time where there are none, as nearly always."""
    compiled = compiled_statement(statement, connection.dialect)
    cursor = connection.connection.cursor()
    cursor.execute(compiled.sql, compiled.parameters(values))
    rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    cursor.close()
    return rows


def first(connection: sa.Connection, statement: sa.ClauseElement, values: Parameters) -> tuple[Any, ...] | None:
    """The first row that a statement finds, as the driver gives it."""
    compiled = compiled_statement(statement, connection.dialect)
    cursor = connection.connection.cursor()
    cursor.execute(compiled.sql, compiled.parameters(values))
    row: tuple[Any, ...] | None = cursor.fetchone()
    cursor.close()
    return row


def write(connection: sa.Connection, statement: sa.ClauseElement, rows: Iterable[Parameters]) -> None:
    """Execute a statement for each row, straight on the driver: it answers nothing that SQLAlchemy could wrap."""
    compiled = compiled_statement(statement, connection.dialect)
    cursor = connection.connection.cursor()
    cursor.executemany(compiled.sql, [compiled.parameters(row) for row in rows])
    cursor.close()


def write_each(connection: sa.Connection, statement: sa.ClauseElement, rows: Iterable[Parameters]) -> list[int]:
    """Execute a statement for each row; how many rows of the table each of them changed."""
    compiled = compiled_statement(statement, connection.dialect)
    parameters = [compiled.parameters(row) for row in rows]
    return backend_of(connection).execute_each(connection, compiled.sql, parameters)


class CompiledStatement:
    """A statement as the driver takes it."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.sql = str(compiled)
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        names = compiled.positiontup  # the parameters in their order, where the driver counts them
        self._ordered = None if not names else itemgetter(*names) if len(names) > 1 else _single(names[0])

    def parameters(self, values: Parameters) -> Any:
        if self._defaults:
            values = {**self._defaults, **values}
        return values if self._ordered is None else self._ordered(values)


def _single(name: str) -> Callable[[Parameters], tuple[Any]]:
    return lambda values: (values[name],)


_COMPILED: dict[tuple[sa.ClauseElement, str], CompiledStatement] = {}


def compiled_statement(statement: sa.ClauseElement, dialect: sa.Dialect) -> CompiledStatement:
    """Compiled once for every engine that speaks the same way: a bridge has several of them."""
    key = statement, dialect.name
    if (known := _COMPILED.get(key)) is None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        known = _COMPILED[key] = CompiledStatement(compiled)
    return known
