"""Documentation of config.json, made of the settings' own fields."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from router.config import Config, Model, Section

EXAMPLE_MODEL = "mlx-community/Qwen3-4B-Instruct-2507-4bit"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    schema = Config.model_json_schema()
    schema["title"] = "MLX Router config.json"
    schema["properties"]["$schema"] = {"type": "string", "description": "Where this schema is."}
    return schema


def example() -> str:
    """A config.json with every key, its meaning and its default. One model entry is commented
    out, so that the file as it stands loads to the defaults.
    """
    return "{\n" + _example_fields(Config, "  ") + "\n}\n"


def _example_fields(section: type[BaseModel], indent: str) -> str:
    return ",\n".join(
        _comment(field.description or "", indent)
        + f"{indent}{json.dumps(name)}: {_example_value(field, indent)}"
        for name, field in section.model_fields.items()
    )


def _example_value(field: FieldInfo, indent: str) -> str:
    deeper = indent + "  "
    if field.annotation == dict[str, Model]:
        entry = f"{json.dumps(EXAMPLE_MODEL)}: {{\n{_example_fields(Model, '  ')}\n}}"
        return "{\n" + textwrap.indent(entry, deeper + "// ") + f"\n{indent}}}"
    if isinstance(field.default, Section):
        return "{\n" + _example_fields(type(field.default), deeper) + f"\n{indent}}}"
    return json.dumps(field.examples[0] if field.examples else field.default)


def _comment(text: str, indent: str) -> str:
    width = 96 - len(indent)
    return "".join(f"{indent}// {line}\n" for line in textwrap.wrap(text, width))
