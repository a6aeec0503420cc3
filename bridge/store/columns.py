"""What all tables are made of, and where they are gathered."""

import sqlalchemy as sa

metadata = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only an INTEGER primary key
Micros = sa.BigInteger()
