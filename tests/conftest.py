"""Fixtures that more than one folder needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.postgres import Postgres, a_postgres


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/panelbridge.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests; who stops it starts one of his own."""
    with a_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A new, empty database."""
    return postgres.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store_url(request: pytest.FixtureRequest) -> str:
    """A store on each engine."""
    url: str = request.getfixturevalue("store_url" if request.param == "sqlite" else "postgres_url")
    return url
