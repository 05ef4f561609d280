"""Requests to llguidance matchers: compiled off the engine's thread, once for each grammar."""

from __future__ import annotations

import copy
from collections import OrderedDict
from functools import cached_property

import msgspec
from llguidance import LLMatcher, LLTokenizer
from mlx_lm.tokenizer_utils import TokenizerWrapper

from router.engine.grammar.answers import AnswerGrammar, describable
from router.engine.grammar.calls import FORMATS
from router.engine.grammar.wanted import Wanted, reason, wanted
from router.engine.refusal import Refusal
from router.frames import Generate, OutputFormat

KEPT = 64
"""Grammars of a model that are kept: those of the agents at work."""


class Compiler:
    """Grammars in one model's own format and vocabulary."""

    def __init__(self, tokenizer: TokenizerWrapper, format: OutputFormat) -> None:
        self._tokenizer = tokenizer
        self._format = format
        self._calls = FORMATS.get(format.tool_parser or "json_tools")
        self._special = {
            str(token): number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special
        }
        self._kept: OrderedDict[bytes, LLMatcher | None] = OrderedDict()

    def matcher(self, request: Generate, *, reasoning_open: bool) -> LLMatcher | None:
        """The grammar of the answers to a request, at its beginning; None: any text will do.

        Raises Refusal for what cannot be held to: a schema, or this model's own format.
        """
        if not request.tools and request.constraint.schema is None:
            return None
        key = msgspec.json.encode((request.constraint, request.tools, reasoning_open))
        if key not in self._kept:
            self._kept[key] = self._compiled(request, reasoning_open=reasoning_open)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _compiled(self, request: Generate, *, reasoning_open: bool) -> LLMatcher | None:
        asked = wanted(request)
        if not self._describable(asked, demanded=request.constraint.demands):
            return None
        grammar = AnswerGrammar(self._format, self._calls, self._special, asked)
        matcher = LLMatcher(
            self._vocabulary, grammar.text(reasoning_open=reasoning_open), log_level=0
        )
        if matcher.is_error():
            raise Refusal(
                "The tools and schemas of this request make no grammar:"
                f" {reason(matcher.get_error())}. Offer fewer or simpler ones.",
                code="invalid_value",
                param="tools" if asked.functions else "response_format",
            )
        return matcher

    def _describable(self, asked: Wanted, *, demanded: bool) -> bool:
        """Can this model's answers be held to what is asked? Raises Refusal where they must be."""
        able = hasattr(self._tokenizer, "backend_tokenizer") and describable(self._format)
        able = able and (self._calls is not None or not asked.functions)
        if able or not demanded:
            return able
        field = "tool_choice" if asked.required else "response_format"
        raise Refusal(
            f"This model's answers cannot be held to `{field}`: there is no grammar for its format"
            f" ({self._format.tool_parser or 'unknown'}) yet. Leave the field out, or use another"
            " model.",
            code="unsupported_parameter",
            param=field,
        )

    @cached_property
    def _vocabulary(self) -> LLTokenizer:
        """Half a second's work, so only where a grammar is asked for."""
        backend = copy.copy(self._tokenizer.backend_tokenizer)
        backend.no_padding()
        backend.no_truncation()
        return LLTokenizer(backend.to_str(), eos_token=sorted(self._tokenizer.eos_token_ids))
