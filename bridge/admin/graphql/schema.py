"""The schema: what stands in `schema.graphql`, and the services that there are."""

from functools import cache
from pathlib import Path

from graphql import GraphQLObjectType, GraphQLSchema, build_schema

from bridge.admin.graphql.resolvers import RESOLVERS
from bridge.sinks import CONFIGS

FILE = Path(__file__).parent / "schema.graphql"


@cache
def sdl() -> str:
    """The whole of it in the schema language."""
    services = [config.model_fields["type"].default.upper() for config in CONFIGS]
    return FILE.read_text("utf-8") + "\nenum ProviderType {\n  " + "\n  ".join(services) + "\n}\n"


@cache
def schema() -> GraphQLSchema:
    built = build_schema(sdl())
    for type_name, fields in RESOLVERS.items():
        type_ = built.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        for name, resolver in fields.items():
            type_.fields[name].resolve = resolver
    return built
