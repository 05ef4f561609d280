"""A model in memory: weights, tokenizer, and what they can do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
from mlx.utils import tree_flatten
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.utils import dequantize_model

from router.frames import EngineSpec, ModelInfo, OutputFormat

DEFAULT_CONTEXT = 4096
"""Tokens, for the rare model folder that states no length at all."""

GENERIC_TOOL_MARKERS = ("<tool_call>", "</tool_call>")
"""Those of ``prompts.TOOLS_PROMPT``."""

STATES = {"normal": "content"}
"""mlx-lm's names of answer states, where ours differ."""


@dataclass(frozen=True, slots=True)
class Loaded:
    model: nn.Module
    tokenizer: TokenizerWrapper
    info: ModelInfo


def load(spec: EngineSpec) -> Loaded:
    """Load the folder ``spec.path``, and its adapter, ready to generate.

    Must run on the thread that will generate: MLX streams belong to threads.
    """
    started = time.monotonic()
    _limit_buffer_cache()
    tokenizer_config = {"chat_template": spec.chat_template} if spec.chat_template else {}
    model, tokenizer, config = mlx_lm.load(
        spec.path,
        tokenizer_config=tokenizer_config,
        adapter_path=spec.adapter,
        return_config=True,
    )
    if mx.default_device() == mx.cpu:
        # The CPU has fast kernels for float32 only; see blas.py.
        model = dequantize_model(model)
        model.set_dtype(mx.float32)
        mx.eval(model.parameters())
        mx.clear_cache()
    info = ModelInfo(
        context_length=_context_length(spec, config, tokenizer),
        format=output_format(tokenizer),
        memory=mx.get_active_memory(),
        dtype=_dtype(model),
        device=str(mx.default_device()),
        template_knows_tools=template_knows_tools(tokenizer),
        load_seconds=round(time.monotonic() - started, 2),
    )
    return Loaded(model, tokenizer, info)


def _limit_buffer_cache() -> None:
    """Metal only: keep freed buffers from crowding out the next model (an eighth of the memory
    that the system lets the GPU have). The wired limit is set by mlx-lm's BatchGenerator."""
    if mx.metal.is_available():
        mx.set_cache_limit(int(mx.device_info()["max_recommended_working_set_size"]) // 8)


def _dtype(model: nn.Module) -> str:
    """The type of most of the model's bytes; a quantized model says its packed type."""
    sizes: dict[str, int] = {}
    for _, array in tree_flatten(model.parameters()):
        name = str(array.dtype).removeprefix("mlx.core.")
        sizes[name] = sizes.get(name, 0) + array.nbytes
    return max(sizes, key=lambda name: sizes[name])


def _context_length(spec: EngineSpec, config: dict[str, Any], tokenizer: TokenizerWrapper) -> int:
    """Tokens the model was made for: the user's setting, else the model's own figures."""
    stated = (
        spec.context_length,
        config.get("max_position_embeddings"),
        config.get("text_config", {}).get("max_position_embeddings"),
        config.get("max_sequence_length"),
        getattr(tokenizer, "model_max_length", None),
    )
    # Tokenizers without a limit say 10**30.
    return next((n for n in stated if n and 0 < n < 10**9), DEFAULT_CONTEXT)


def template_knows_tools(tokenizer: TokenizerWrapper) -> bool:
    template = tokenizer.chat_template
    if isinstance(template, dict):
        return "tool_use" in template
    # A template that is code rather than text is mlx-lm's own and renders tools.
    return tokenizer.has_tool_calling if template is None else "tools" in template


def output_format(tokenizer: TokenizerWrapper) -> OutputFormat:
    """The markers that mlx-lm knows for this tokenizer, as transitions between states."""
    transitions: dict[str, list[tuple[str, str]]] = {}

    def add(state: str, marker: str | None, target: str) -> None:
        if marker:
            transitions.setdefault(state, []).append((marker, target))

    if tokenizer.has_thinking:
        add("content", tokenizer.think_start, "reasoning")
        add("reasoning", tokenizer.think_end, "content")
    if tokenizer.has_tool_calling:
        add("content", tokenizer.tool_call_start, "tool")
        if tokenizer.has_thinking:
            add("reasoning", tokenizer.tool_call_start, "tool")
        add("tool", tokenizer.tool_call_end, "content")
    else:  # what the prompt for templates without tools asks for
        add("content", GENERIC_TOOL_MARKERS[0], "tool")
        add("tool", GENERIC_TOOL_MARKERS[1], "content")
    for marker in tokenizer.structural_markers:
        add("content", marker, "content")
    for state, edges in tokenizer.response_transitions.items():
        for marker, target in edges:
            add(STATES.get(state, state), marker, STATES.get(target, target))
    parser = tokenizer.init_kwargs.get("tool_parser_type") if tokenizer.has_tool_calling else None
    initial = tokenizer.response_initial_state or "normal"
    return OutputFormat(
        transitions,
        initial=STATES.get(initial, initial),
        control=_control_tokens(tokenizer, transitions),
        tool_parser=parser,
    )


def _control_tokens(
    tokenizer: TokenizerWrapper, transitions: dict[str, list[tuple[str, str]]]
) -> list[str]:
    """Special tokens that must never reach a client: those that end a text or stand in the
    template, so that a vocabulary's thousand reserved ones cost nothing."""
    markers = {marker for edges in transitions.values() for marker, _ in edges}
    template = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else ""
    special = {str(t) for t in tokenizer.added_tokens_decoder.values() if t.special}
    used = set(tokenizer.all_special_tokens) | {token for token in special if token in template}
    return sorted(token for token in used - markers if token.strip())
