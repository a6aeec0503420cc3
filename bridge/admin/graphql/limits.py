"""How much one request may ask for, known before any of it is looked up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

TOKENS, COMMENTS, BODY = 1000, 100, 16 * 1024
DEPTH, TOP, ALIASES, FIRST, PRODUCT = 6, 10, 20, 100, 1000
DEFAULT_FIRST = 20
PAGED = frozenset({"deliveries", "webhookDeliveries"})
INTROSPECTION = ("__schema", "__type")  # its depth has a rule of its own


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    """The one operation; raise GraphQLError where there is none, or several."""
    found = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(found) != 1:
        raise GraphQLError(f"one operation a request, not {len(found)}")
    return found[0]


def check_limits(document: DocumentNode, variables: Mapping[str, Any]) -> None:
    """Raise GraphQLError for whatever asks for more than one request may."""
    operation = operation_of(document)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    asked = _Selections(fragments, variables)
    top = list(asked.fields(operation.selection_set))
    if len(top) > TOP:
        raise GraphQLError(f"asks for {len(top)} things at the top: at most {TOP}")
    if operation.operation is OperationType.MUTATION and (len(top) != 1 or top[0].directives):
        raise GraphQLError("a mutation does one thing, whatever the variables are")
    asked.check(operation.selection_set, depth=1, product=1)
    aliases = sum(1 for one in _nodes(document) if isinstance(one, FieldNode) and one.alias is not None)
    if aliases > ALIASES:
        raise GraphQLError(f"has {aliases} aliases: at most {ALIASES}")


@dataclass
class _Selections:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    seen: set[tuple[str, int, int]] = field(default_factory=set)

    def fields(self, selection: SelectionSetNode) -> Iterator[FieldNode]:
        """The fields of a selection, those of its fragments among them: each fragment once, as it is worked out."""
        seen, waiting = set[str](), [*selection.selections]
        while waiting:
            one = waiting.pop()
            if isinstance(one, FieldNode):
                yield one
            elif isinstance(one, InlineFragmentNode):
                waiting += one.selection_set.selections
            elif isinstance(one, FragmentSpreadNode) and (name := one.name.value) not in seen:
                seen.add(name)
                waiting += self.fragments[name].selection_set.selections if name in self.fragments else ()

    def check(self, selection: SelectionSetNode, *, depth: int, product: int) -> None:
        for one in selection.selections:
            if isinstance(one, FieldNode):
                self._check_field(one, depth, product)
            elif isinstance(one, InlineFragmentNode):
                self.check(one.selection_set, depth=depth, product=product)
            elif isinstance(one, FragmentSpreadNode):
                self._check_spread(one.name.value, depth, product)

    def _check_field(self, one: FieldNode, depth: int, product: int) -> None:
        if one.name.value in INTROSPECTION:
            return
        if depth > DEPTH:
            raise GraphQLError(f"is deeper than {DEPTH} fields")
        if one.name.value in PAGED:
            product *= self._first(one)
            if product > PRODUCT:
                raise GraphQLError(f"asks for {product} deliveries: at most {PRODUCT}")
        if one.selection_set is not None:
            self.check(one.selection_set, depth=depth + 1, product=product)

    def _check_spread(self, name: str, depth: int, product: int) -> None:
        """What a fragment asks for here; once for each place like it, so that many spreads cost no more than few."""
        place = name, depth, product
        if name in self.fragments and place not in self.seen:
            self.seen.add(place)
            self.check(self.fragments[name].selection_set, depth=depth, product=product)

    def _first(self, one: FieldNode) -> int:
        given: Any = DEFAULT_FIRST
        for argument in one.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                given = int(value.value[:5]) if isinstance(value, IntValueNode) else FIRST  # of any more it is too many
                if isinstance(value, VariableNode):
                    given = self.variables.get(value.name.value, FIRST)
        if not isinstance(given, int) or not 1 <= given <= FIRST:
            raise GraphQLError(f"first should be from 1 to {FIRST}")
        return given


def _nodes(node: Any) -> Iterator[Any]:
    """A node of the document, and all below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        for key in one.keys:
            value = getattr(one, key, None)
            children = value if isinstance(value, list | tuple) else [value]
            waiting += [child for child in children if hasattr(child, "keys") and hasattr(child, "kind")]
