"""What the HTTP process and a model process say to each other.

A message is a MessagePack array of frames behind a 4-byte big-endian length, over one
Unix socket pair. msgspec types and checks both ends, so neither needs a parser. One
message carries every frame of one engine step: a batch of 16 costs one write, not 16.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length"]
"""Why a sequence ended, as the engine knows it; ``tool_calls`` is decided on the HTTP side."""


class Frame(msgspec.Struct, tag=True, frozen=True, gc=False):
    pass


# --- values carried by frames -------------------------------------------------------


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How tokens are chosen. Names and ranges follow the OpenAI reference; ``top_k``,
    ``min_p`` and ``repetition_penalty`` follow mlx-lm. ``top_logprobs`` None: no logprobs.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: dict[int, float] = {}
    seed: int | None = None
    top_logprobs: int | None = None


class OutputFormat(msgspec.Struct, frozen=True):
    """How a model marks up its answer.

    ``transitions`` maps a state (``content``, ``reasoning``, ``tool``) to the markers that
    end it: ``(marker text, next state)``. ``control`` are the tokenizer's special tokens:
    they are dropped wherever they appear in text. ``tool_parser`` names a module of
    ``mlx_lm.tool_parsers``, or is None when the model has no call format. An answer begins in
    the state ``initial``; text in a state of any other name (a message header) is not shown.
    """

    transitions: dict[str, list[tuple[str, str]]] = {}
    initial: str = "content"
    control: list[str] = []
    tool_parser: str | None = None


class EngineSpec(msgspec.Struct, frozen=True):
    """What a model process is started with, as JSON on its command line.

    ``embedded_home`` and ``embedded_id`` instead of ``path``: that embedded model below that
    folder, made if need be. ``chat_template`` is template text that replaces the model's own.
    ``context_length`` and ``prefill_chunk`` are in tokens (None: what suits the device),
    ``prefix_cache`` in bytes.
    """

    engine: Literal["mlx", "scripted"]
    path: str = ""
    embedded_home: str | None = None
    embedded_id: str = ""
    adapter: str | None = None
    chat_template: str | None = None
    context_length: int | None = None
    max_batch_size: int = 32
    prefill_chunk: int | None = None
    prefix_cache: int = 1 << 30


class ModelInfo(msgspec.Struct, frozen=True):
    """What a loaded model can do. ``context_length`` is in tokens, ``memory`` in bytes."""

    context_length: int
    format: OutputFormat
    memory: int = 0
    dtype: str = ""
    device: str = ""
    template_knows_tools: bool = False
    load_seconds: float = 0.0


class TopLogprob(msgspec.Struct, frozen=True, array_like=True, gc=False):
    token: str
    logprob: float
    raw: bytes


class TokenLogprob(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One sampled token: its text, its natural-log probability, its bytes, the runners-up."""

    token: str
    logprob: float
    raw: bytes
    top: list[TopLogprob] = []


# --- HTTP process -> model process --------------------------------------------------


class Constraint(msgspec.Struct, frozen=True):
    """What an answer is held to. ``required``: it must call; ``functions``: the only ones it may
    call (empty: any offered); ``parallel``: more than one call. ``schema``: the JSON Schema of
    an answer that is no call (None: any text)."""

    required: bool = False
    functions: list[str] = []
    parallel: bool = True
    schema: dict[str, Any] | None = None

    @property
    def demands(self) -> bool:
        """Is there a form that the answer must have? Calls of its own choice need not come."""
        return self.required or self.schema is not None


Prompt = str | list[int]
"""Text or token ids that a model goes on with, as they are."""


class Generate(Frame, frozen=True):
    """Answer a chat: ``n`` sequences of at most ``max_tokens`` tokens (None: what is left). With
    ``n`` 0 it is admitted, which tells its size, and not answered.

    ``messages`` and ``tools`` are as the client sent them, checked but not rewritten. ``prompts``
    instead of them: continue each, without a chat template, in ``n`` sequences; the sequence
    with index ``p * n + i`` is the ``i``-th of prompt ``p``. ``script`` is what the scripted
    engine is to play, in JSON; others do not look at it.
    """

    id: int
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = []
    constraint: Constraint = Constraint()
    sampling: Sampling = Sampling()
    n: int = 1
    max_tokens: int | None = None
    template_options: dict[str, Any] = {}
    prompts: list[Prompt] = []
    script: str = ""

    @property
    def sequences(self) -> int:
        return self.n * max(1, len(self.prompts))


class Cancel(Frame, frozen=True):
    """Stop one sequence of a request, or all of them (``index`` None)."""

    id: int
    index: int | None = None


# --- model process -> HTTP process --------------------------------------------------


class Loading(Frame, frozen=True):
    """``fraction`` of the load done, 0 to 1."""

    stage: str
    fraction: float


class Ready(Frame, frozen=True):
    info: ModelInfo


class LoadFailed(Frame, frozen=True):
    message: str


class Admitted(Frame, frozen=True):
    """The request is valid and fits; ``prompt_tokens`` of all its prompts together.
    ``reasoning_open``: the prompt ends inside a thought."""

    id: int
    prompt_tokens: int
    reasoning_open: bool = False


class Prefilling(Frame, frozen=True):
    """A prompt's turn has come; ``cached_tokens`` of it were found in the prefix cache."""

    id: int
    cached_tokens: int


class Refused(Frame, frozen=True):
    """The request cannot run. ``code`` is an OpenAI error code, ``param`` a field path."""

    id: int
    message: str
    code: str
    param: str | None = None


class Piece(Frame, frozen=True):
    """Text of ``tokens`` new tokens of sequence ``index``."""

    id: int
    index: int
    text: str
    tokens: int = 1
    logprobs: list[TokenLogprob] = []


class Ended(Frame, frozen=True):
    id: int
    index: int
    reason: FinishReason


class Fault(Frame, frozen=True):
    """The request died inside the engine after it was admitted."""

    id: int
    message: str
    code: str = "engine_fault"


class Stats(Frame, frozen=True):
    """Sequences decoding and prompts waiting or prefilling, tokens generated since the
    start, bytes of KV cache in use, answers whose grammar was lost."""

    running: int
    waiting: int
    generated_tokens: int
    kv_bytes: int = 0
    lost_grammars: int = 0


ToEngine = Generate | Cancel
FromEngine = (
    Loading | Ready | LoadFailed | Admitted | Prefilling | Refused | Piece | Ended | Fault | Stats
)

_encoder = msgspec.msgpack.Encoder()
HEADER_BYTES = 4


def encode(frames: list[Any]) -> bytes:
    body = _encoder.encode(frames)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


decode_to_engine = msgspec.msgpack.Decoder(list[ToEngine]).decode
decode_from_engine = msgspec.msgpack.Decoder(list[FromEngine]).decode
