"""Could a model that is held to a request have said what a script has it say?"""

from __future__ import annotations

from functools import cache

from llguidance import LLMatcher, LLTokenizer

from router.engine.grammar.answers import AnswerGrammar
from router.engine.grammar.calls import FORMATS
from router.engine.grammar.wanted import wanted
from router.engine.script import Script
from router.frames import Generate, OutputFormat


def forbidden(script: Script, request: Generate, format: OutputFormat) -> str | None:
    """The beginning of the script's text with which the request's grammar is left, or the whole
    where it may not end there; None: it is allowed."""
    if not request.tools and request.constraint.schema is None:
        return None
    calls = FORMATS[format.tool_parser or "json_tools"]
    grammar = AnswerGrammar(format, calls, {}, wanted(request))
    matcher = LLMatcher(_bytes(), grammar.text(reasoning_open=script.reasoning_open), log_level=0)
    tokens = _bytes().tokenize_str("".join(script.tokens()))
    taken = matcher.try_consume_tokens(tokens)
    cut = script.finish_reason == "length"
    if taken == len(tokens) and (cut or matcher.is_accepting()):
        return None
    return _bytes().decode_str(tokens[: taken + 1])


@cache
def _bytes() -> LLTokenizer:
    """A vocabulary for texts of any kind: each byte is a token."""
    return LLTokenizer("byte")
