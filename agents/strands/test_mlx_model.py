"""MLXModel against a router whose engine plays scripts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, field_validator
from strands import Agent, ModelRetryStrategy, tool
from strands.types.exceptions import (
    ContextWindowOverflowException,
    MaxTokensReachedException,
    ModelThrottledException,
)

sys.path.insert(0, str(Path(__file__).parent))
from mlx_model import MLXModel, RouterError
from scripted_router import Router, scripted_router, wait_until

MODEL = "smollm2-135m-instruct"
PARIS, LONDON = (
    f'<tool_call>\n{{"name": "weather", "arguments": {{"city": "{city}"}}}}\n</tool_call>'
    for city in ("Paris", "London")
)
WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "inputSchema": {
        "json": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        }
    },
}
TIME = {"name": "time", "description": "The time.", "inputSchema": {"json": {"type": "object"}}}

Events = list[dict[str, Any]]


class Person(BaseModel):
    name: str
    age: int


class Grown(Person):
    @field_validator("age")
    @classmethod
    def is_of_age(cls, age: int) -> int:
        if age < 18:
            raise ValueError("too young")
        return age


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with scripted_router(tmp_path_factory.mktemp("router")) as router:
        yield router


@pytest.fixture
def model(router: Router) -> MLXModel:
    return MLXModel(MODEL, base_url=router.base_url)


def script(text: str, **delivery: Any) -> str:
    """A message to which the engine answers ``text``."""
    return json.dumps({"script": {"text": text, **delivery}})


def scripted(text: str, **delivery: Any) -> list[Any]:
    return says(script(text, **delivery))


def says(text: str) -> list[Any]:
    return [{"role": "user", "content": [{"text": text}]}]


def collected(events: AsyncIterator[Any]) -> Events:
    async def collect() -> Events:
        return [event async for event in events]

    return asyncio.run(collect())


def blocks(events: Events) -> list[Any]:
    """What the deltas of each block come to, with a tool's start beside its input."""
    found: list[Any] = []
    for event in events:
        if "contentBlockStart" in event:
            found.append([event["contentBlockStart"]["start"]])
        if "contentBlockDelta" in event:
            found[-1].append(event["contentBlockDelta"]["delta"])
    return [_block(start, deltas) for start, *deltas in found]


def _block(start: dict[str, Any], deltas: list[Any]) -> Any:
    if "toolUse" in start:
        written = "".join(delta["toolUse"]["input"] for delta in deltas)
        return start["toolUse"]["name"], json.loads(written)
    if "reasoningContent" in deltas[0]:
        return "reasoning", "".join(delta["reasoningContent"]["text"] for delta in deltas)
    return "".join(delta["text"] for delta in deltas)


def kinds(events: Events) -> list[str]:
    """The kinds of events, where a run of deltas counts once."""
    found = [next(iter(event)) for event in events]
    return [kind for kind, before in zip(found, [None, *found], strict=False) if kind != before]


def stop_reason(events: Events) -> str:
    [stop] = [event["messageStop"] for event in events if "messageStop" in event]
    return stop["stopReason"]


MESSAGE = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"]
END = ["messageStop", "metadata"]


def test_text_comes_in_pieces(model: MLXModel) -> None:
    events = collected(model.stream(scripted("It is sunny in Paris.")))
    assert kinds(events) == MESSAGE + END
    assert blocks(events) == ["It is sunny in Paris."]
    assert sum("contentBlockDelta" in event for event in events) > 1
    assert stop_reason(events) == "end_turn"


def test_usage_and_latency_end_the_message(model: MLXModel) -> None:
    metadata = collected(model.stream(scripted("one two three", prefill_ms=50)))[-1]["metadata"]
    usage = metadata["usage"]
    assert usage["outputTokens"] == 3
    assert usage["totalTokens"] == usage["inputTokens"] + 3
    assert usage["cacheReadInputTokens"] == 0
    assert metadata["metrics"]["latencyMs"] >= 50


def test_a_call(model: MLXModel) -> None:
    events = collected(model.stream(scripted(PARIS), [WEATHER]))
    assert kinds(events) == MESSAGE + END
    assert blocks(events) == [("weather", {"city": "Paris"})]
    assert stop_reason(events) == "tool_use"


def test_parallel_calls_have_blocks_and_ids_of_their_own(model: MLXModel) -> None:
    events = collected(model.stream(scripted(f"{PARIS}\n{LONDON}"), [WEATHER]))
    assert kinds(events) == MESSAGE + MESSAGE[1:] + END
    assert blocks(events) == [("weather", {"city": "Paris"}), ("weather", {"city": "London"})]
    starts = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]
    assert len({start["start"]["toolUse"]["toolUseId"] for start in starts}) == 2


def test_text_before_a_call(model: MLXModel) -> None:
    events = collected(model.stream(scripted(f"Let me see. {PARIS}"), [WEATHER]))
    said, call = blocks(events)
    assert said.strip() == "Let me see."
    assert call == ("weather", {"city": "Paris"})
    assert stop_reason(events) == "tool_use"


def test_reasoning_is_a_block_of_its_own(model: MLXModel) -> None:
    events = collected(model.stream(scripted("<think>Easy.</think>Four.")))
    assert blocks(events) == [("reasoning", "Easy."), "Four."]


@pytest.mark.parametrize(
    ("choice", "called"),
    [({"tool": {"name": "time"}}, "time"), ({"any": {}}, "weather"), ({"auto": {}}, "weather")],
)
def test_tool_choice(model: MLXModel, choice: Any, called: str) -> None:
    events = collected(model.stream(says("Hello."), [WEATHER, TIME], tool_choice=choice))
    assert [name for name, _ in blocks(events)] == [called]


def test_an_answer_cut_by_max_tokens(router: Router) -> None:
    model = MLXModel(MODEL, base_url=router.base_url, params={"max_tokens": 2})
    events = collected(model.stream(scripted("one two three four")))
    assert blocks(events) == ["one two"]
    assert stop_reason(events) == "max_tokens"


def test_a_prompt_over_the_context(model: MLXModel) -> None:
    with pytest.raises(ContextWindowOverflowException, match="context"):
        collected(model.stream(says("word " * 9000)))


def test_an_unknown_model(router: Router) -> None:
    model = MLXModel("no-such-model", base_url=router.base_url)
    with pytest.raises(RouterError, match="no-such-model") as raised:
        collected(model.stream(says("Hello.")))
    assert (raised.value.status, raised.value.code) == (404, "model_not_found")


def test_a_wrong_parameter_is_named(router: Router) -> None:
    model = MLXModel(MODEL, base_url=router.base_url, params={"temperature": 3})
    with pytest.raises(RouterError) as raised:
        collected(model.stream(says("Hello.")))
    assert (raised.value.status, raised.value.param) == (400, "temperature")


def test_a_failure_after_the_first_words(model: MLXModel) -> None:
    mishap = {"kind": "error", "after": 2}
    with pytest.raises(RouterError) as raised:
        collected(model.stream(scripted("one two three", mishap=mishap)))
    assert raised.value.status is None
    assert raised.value.code == "engine_fault"


def test_a_full_queue_is_throttling_and_strands_alone_retries(tmp_path: Path) -> None:
    with scripted_router(tmp_path, MLX_ROUTER_SERVER__MAX_QUEUE="1") as router:
        asyncio.run(ask_twice(MLXModel(MODEL, base_url=router.base_url)))
    assert router.log.read_text().count("/v1/chat/completions 503") == 2


async def ask_twice(model: MLXModel) -> None:
    retries = ModelRetryStrategy(max_attempts=2, initial_delay=0)
    agent = Agent(model=model, callback_handler=None, retry_strategy=retries)
    first = model.stream(scripted("one two", mishap={"kind": "stall", "after": 1}))
    await anext(first)
    with pytest.raises(ModelThrottledException, match="waiting"):
        await agent.invoke_async("Hello.")
    await first.aclose()


def test_no_router() -> None:
    model = MLXModel(MODEL, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(RouterError, match="running router"):
        collected(model.stream(says("Hello.")))


def test_a_wrong_base_url(router: Router) -> None:
    model = MLXModel(MODEL, base_url=f"{router.base_url}/chat")
    with pytest.raises(RouterError) as raised:
        collected(model.stream(says("Hello.")))
    assert raised.value.status == 404


def test_who_leaves_a_stream_ends_its_generation(router: Router, model: MLXModel) -> None:
    async def leave() -> None:
        events = model.stream(scripted("word " * 5000, rate=20))
        await anext(events)
        assert router.running() == 1
        await events.aclose()

    asyncio.run(leave())
    assert wait_until(lambda: router.running() == 0)


def test_structured_output_ends_with_the_instance(model: MLXModel) -> None:
    events = collected(model.structured_output(Person, says("Anna is 31.")))
    assert kinds(events) == [*MESSAGE, *END, "output"]
    assert isinstance(events[-1]["output"], Person)


def test_structured_output_that_was_cut_off(router: Router) -> None:
    model = MLXModel(MODEL, base_url=router.base_url, params={"max_tokens": 1})
    with pytest.raises(MaxTokensReachedException, match="max_tokens"):
        collected(model.structured_output(Person, says("Anna is 31.")))


def test_structured_output_that_a_validator_refuses(model: MLXModel) -> None:
    child = scripted('{"name": "Anna", "age": 3}')
    with pytest.raises(ValueError, match="too young"):
        collected(model.structured_output(Grown, child))


def test_an_agent_runs_its_tools_and_reads_the_results(model: MLXModel) -> None:
    asked = []

    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "sunny"

    agent = Agent(model=model, tools=[weather], callback_handler=None)
    result = agent(script(PARIS + LONDON))
    assert sorted(asked) == ["London", "Paris"]
    assert str(result).strip() == "The result is: sunny; sunny"
    assert result.metrics.accumulated_usage["outputTokens"] > 0


def test_an_agent_gets_structured_output(model: MLXModel) -> None:
    result = Agent(model=model, callback_handler=None)(
        "Anna is 31.", structured_output_model=Person
    )
    assert isinstance(result.structured_output, Person)


def test_the_router_takes_back_what_it_said(model: MLXModel) -> None:
    agent = Agent(model=model, callback_handler=None, system_prompt="Be brief.")
    agent(script("<think>Easy.</think>Four."))
    assert str(agent("Hello.")).strip() == "You said: Hello."


def test_settings(model: MLXModel) -> None:
    model.update_config(params={"temperature": 0}, context_window_limit=8192)
    assert model.get_config() == {
        "model_id": MODEL,
        "params": {"temperature": 0},
        "context_window_limit": 8192,
    }
    assert model.context_window_limit == 8192


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="'temperature' is not a setting"):
        MLXModel(MODEL, temperature=0)
