"""The common scenarios, with Goose's provider: the Rust code in which its app talks to models.

The SDK holds the provider, not Goose's agent, so the conversation and the tool loop are here.
The server is described by the file that Goose itself reads, integrations/goose/mlx-router.json.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py

import goose
import scenarios
from goose import MessageContent, MessageRole, ProviderMessage, ProviderModelConfig
from scenarios import BASE_URL, MODEL, Outcome, run

DEFINITION = Path(__file__).parents[2] / "integrations" / "goose" / "mlx-router.json"

GET_WEATHER = goose.ProviderTool(
    name="get_weather",
    description="Get the current weather in a city.",
    input_schema_json=json.dumps(
        {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Name of the city."}},
            "required": ["city"],
        }
    ),
)
TOOLS = {"get_weather": scenarios.get_weather}

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def provider() -> goose.Provider:
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    here = {"base_url": BASE_URL, "api_key_env": "OPENAI_API_KEY"}
    return goose.declarative_provider_from_json(json.dumps(definition | here))


class Conversation:
    """What was said to one model, and what it cost."""

    def __init__(self, *tools: goose.ProviderTool, model: str = MODEL, **params: object) -> None:
        self._provider = provider()
        self._model = ProviderModelConfig(
            model_name=model, temperature=0.0, request_params_json=json.dumps(params)
        )
        self._tools = list(tools)
        self._messages: list[ProviderMessage] = []
        self.usage = scenarios.usage(0, 0)

    async def ask(self, question: str) -> str:
        """The answer, after as many rounds of tool calls as the model wants."""
        self._add(MessageRole.USER, [MessageContent.TEXT(question)])
        while True:
            reply = await self._provider.complete(self._model, "", self._messages, self._tools)
            self._count(reply.usage)
            self._add(MessageRole.ASSISTANT, reply.content)
            requests = [part for part in reply.content if part.is_tool_request()]
            if not requests:
                return "".join(part.text for part in reply.content if part.is_text())
            self._add(MessageRole.TOOL, [_called(request) for request in requests])

    async def stream(self, question: str) -> list[str]:
        """The answer in the pieces that it came in."""
        self._add(MessageRole.USER, [MessageContent.TEXT(question)])
        stream = await self._provider.stream(self._model, "", self._messages, self._tools)
        pieces: list[str] = []
        while (chunk := await stream.next_chunk()) is not None:
            if chunk.is_text_chunk():
                pieces.append(chunk.text)
            elif chunk.is_end_chunk():
                self._count(chunk.usage)
            elif chunk.is_error_chunk():
                raise RuntimeError(chunk.error.message)
        self._add(MessageRole.ASSISTANT, [MessageContent.TEXT("".join(pieces))])
        return pieces

    def _add(self, role: MessageRole, content: list[MessageContent]) -> None:
        self._messages.append(ProviderMessage(role=role, content=content))

    def _count(self, usage: goose.Usage) -> None:
        self.usage["prompt_tokens"] += usage.input_tokens
        self.usage["completion_tokens"] += usage.output_tokens


def _called(request: MessageContent.TOOL_REQUEST) -> MessageContent.TOOL_RESULT:
    result = TOOLS[request.name](**json.loads(request.arguments_json))
    return MessageContent.TOOL_RESULT(id=request.id, success=True, content_json=json.dumps(result))


async def text() -> Outcome:
    conversation = Conversation()
    return Outcome(await conversation.ask(scenarios.TEXT), usage=conversation.usage)


async def stream() -> Outcome:
    conversation = Conversation()
    pieces = await conversation.stream(scenarios.STREAM)
    return Outcome("".join(pieces), pieces, conversation.usage)


async def memory() -> Outcome:
    conversation = Conversation()
    await conversation.ask(scenarios.INTRODUCTION)
    return Outcome(await conversation.ask(scenarios.RECALL), usage=conversation.usage)


async def tool() -> Outcome:
    conversation = Conversation(GET_WEATHER)
    return Outcome(await conversation.ask(scenarios.TOOL), usage=conversation.usage)


async def parallel() -> Outcome:
    conversation = Conversation(GET_WEATHER)
    return Outcome(await conversation.ask(scenarios.PARALLEL), usage=conversation.usage)


async def structured() -> Outcome:
    schema = {"name": "Person", "schema": PERSON, "strict": True}
    response_format = {"type": "json_schema", "json_schema": schema}
    conversation = Conversation(response_format=response_format)
    return Outcome(await conversation.ask(scenarios.STRUCTURED), usage=conversation.usage)


async def errors() -> Outcome:
    try:
        return Outcome(await Conversation(model=scenarios.UNKNOWN_MODEL).ask(scenarios.TEXT))
    except goose.GooseError as error:
        return Outcome(error=error)


if __name__ == "__main__":
    chat = (text, stream, memory, tool, parallel, structured, errors)
    run("goose", "goose-sdk", {"chat": {scenario.__name__: scenario for scenario in chat}})
    # Python may not tidy up: it aborts if a thread of the provider's is then still in a callback.
    sys.stdout.flush()
    os._exit(0)
