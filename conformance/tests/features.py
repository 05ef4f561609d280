"""What mutants share, and features that the server behind them does not have.

A check of such a feature needs a server that has it, and one that has it but broken. A layer is
a mutant without a defect that implements the feature in front of the server; the defects are its
subclasses, which override the same methods as those of any other mutant, and call ``super()`` to
keep the feature.
"""

from __future__ import annotations

from starlette.responses import JSONResponse

from conformance.tests.actor import Actor
from conformance.tests.mutation import Json, Mutant
from conformance.tests.prefix_cache import PrefixCache

CHAT = "/v1/chat/completions"

LAYERS: tuple[type[Mutant], ...] = (Actor, PrefixCache)


def refusal(message: str, param: str) -> JSONResponse:
    """A 400 in OpenAI's envelope."""
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }
    return JSONResponse({"error": error}, 400)


def name_of(tool: Json) -> str:
    return str(tool.get("function", {}).get("name"))
