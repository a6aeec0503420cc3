"""The store's address: a password in it is read as it was meant, or refused."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.config.model import Config
from bridge.store_url import has_password, is_misread, with_password

PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip())


@given(PASSWORDS)
def test_a_password_that_stands_elsewhere_arrives_as_it_is(password: str) -> None:
    config = Config.model_validate(
        {"store": "postgresql://bridge@db:5432/name?sslmode=require", "store_password": password}
    )
    url = sa.make_url(config.store_url())
    assert (url.username, url.password, url.host, url.port) == ("bridge", password, "db", 5432)
    assert (url.database, url.query) == ("name", {"sslmode": "require"})
    assert not is_misread(config.store_url())


@given(st.text(st.sampled_from("aZ9@/#?%:4140 ~-_!"), min_size=1, max_size=12))
def test_whatever_is_not_refused_is_read_as_it_was_meant(written: str) -> None:
    """As it was meant: where there is nothing to decode, letter by letter, and else what the address says of it."""
    url = f"postgresql://bridge:{written}@db/name"
    if not is_misread(url):
        read = sa.make_url(url)
        assert (read.username, read.host, read.database) == ("bridge", "db", "name")
        assert read.password == written or "%" in written


@pytest.mark.parametrize(
    ("url", "misread"),
    [
        ("postgresql+psycopg://u:password@host/db", False),
        ("postgresql+psycopg://u:p%40ss%2Fw%23o%25r:d!@host:5432/db?sslmode=require", False),
        ("postgresql://u@host/db?options=-c%20x=a%40b", False),
        ("postgres:///db?host=/run/postgresql", False),
        ("sqlite:////var/lib/p@ss/x%41.db", False),
        ("postgresql+psycopg://u:p@ss@host/db", True),
        ("postgres://u:pa/ss@host/db", True),
        ("postgresql://u:pa#ss@host/db", True),
        ("postgresql://u:pa?ss@host/db", True),
        ("postgresql://u:pa ss@host/db", True),
        ("postgresql://u:100%@host/db", True),
        ("postgresql://u:pa%41ss@host/db", True),
        ("postgresql://u:pa%7ass@host/db", True),
        ("postgresql://u@server:pass@host/db", True),
    ],
)
def test_what_would_be_taken_for_something_else(url: str, misread: bool) -> None:
    assert is_misread(url) is misread


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("postgresql://u:p@host/db", True),
        ("postgresql://u@host/db", False),
        ("postgresql://host/db?user=u&password=p", True),
        ("postgresql://host:5432/db", False),
        ("sqlite:///a:b@c", False),
    ],
)
def test_where_a_password_stands(url: str, has: bool) -> None:
    assert has_password(url) is has


def test_it_stands_behind_the_user() -> None:
    assert with_password("postgres://u@h/d", "a@b:c") == "postgres://u:a%40b%3Ac@h/d"


@pytest.mark.parametrize(
    ("store", "what"),
    [
        ("postgresql+psycopg://x:pw@h:abc/d", "a number for its port"),
        ("postgresql+psycopg://h:abc/d", "a number for its port"),
        ("postgresql+psycopg://h:/d", "a number for its port"),
        ("postgresql+psycopg://h:99999/d", "a number for its port"),
        ("postgresql+psycopg://h:5432,g:5432/d", "a number for its port"),
        ("postgresql+psycopg://u@::1/d", "a number for its port"),
        ("sqlite:////x.db?mode=ro", "an SQLite file alone"),
        ("sqlite:///x.db?", "an SQLite file alone"),
    ],
)
def test_a_store_that_cannot_be_opened_is_refused_by_the_file(store: str, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Config.model_validate({"store": store})


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://h/d",
        "postgresql://u@h:5432/d?sslmode=require&options=-c%20x=a:b",
        "postgresql://u:p%40:q@[::1]:65535/d",
        "postgres:///d?host=/run/postgresql&port=5433",
    ],
)
def test_a_store_whose_port_is_one_is_read_as_it_stands(store: str) -> None:
    read = sa.make_url(Config.model_validate({"store": store}).store_url())
    assert read.database == "d"
