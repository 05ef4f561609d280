"""Is this a JSON Schema that a call's arguments can be checked against?

Checked before a request is admitted, because afterwards a broken schema or a reference
to nowhere could only end an answer that has already begun.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from router.fielderrors import shown

_REFERENCES = ("$ref", "$dynamicRef")


@lru_cache(maxsize=256)
def fault(encoded: bytes) -> str | None:
    """What is wrong with the JSON Schema in ``encoded``, or None.

    Takes bytes because an agent sends the same tools with every turn, and a check costs
    some 4 ms a kilobyte.
    """
    schema: dict[str, Any] = msgspec.json.decode(encoded)
    try:
        dialect(schema).check_schema(schema)
        return _dangling_reference(schema)
    except SchemaError as error:
        where = ".".join(str(step) for step in error.absolute_path) or "the whole"
        return f"{where} cannot be {shown(error.instance)} in a JSON Schema"
    except RecursionError:
        return "it is nested too deeply to be checked"
    except ValueError:
        return "it names a '$schema', '$id' or '$ref' that is no valid URI"


def dialect(schema: dict[str, Any]) -> type[Validator]:
    """The draft that ``$schema`` names, 2020-12 if it names none that is known."""
    known: type[Validator] = Draft202012Validator
    if isinstance(schema.get("$schema"), str):
        known = validator_for(schema, default=known)
    return known


def _dangling_reference(schema: dict[str, Any]) -> str | None:
    """The registry holds this schema and nothing else: nothing is ever fetched."""
    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    registry = Registry[Any]().with_resource("", root)
    pending = [(root, registry.resolver_with_root(root))]
    while pending:
        resource, resolver = pending.pop()
        contents = resource.contents
        for keyword in _REFERENCES:
            if isinstance(contents, dict) and keyword in contents:
                try:
                    resolver.lookup(contents[keyword])
                except Unresolvable:
                    target = shown(contents[keyword])
                    return f"'{keyword}' points to {target}, which this schema does not hold"
        pending += [(part, resolver.in_subresource(part)) for part in resource.subresources()]
    return None
