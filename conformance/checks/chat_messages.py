"""Chat completions: the messages that go in, and the text that comes out."""

from __future__ import annotations

import json
from typing import Any

from conformance import images
from conformance.check import MUST, SHOULD, check
from conformance.checks.chat import natural, said, thought
from conformance.expect import json_object, refused, status
from conformance.failure import expect
from conformance.session import QUESTION, Json, Session, script, user

SYSTEM = "You are the keeper of a lighthouse, and you answer briefly, like one who saves oil."
MORE = "Always mention the weather at sea, the height of the waves and the ships in sight."
MANY_LANGUAGES = "👩‍👩‍👧 日本語 한국어 שלום مرحبا naïve"


async def prompt_tokens(session: Session, messages: list[Json]) -> int:
    answer = await session.answer(messages, max_tokens=1)
    return int(answer["usage"]["prompt_tokens"])


# --- messages -----------------------------------------------------------------------


@check("chat.roles", level=MUST, cite=["SPEC:31300"])
async def roles(session: Session) -> None:
    """System, developer, user, assistant and tool may speak; a developer is a system."""
    as_system, as_developer = [
        await prompt_tokens(session, [{"role": role, "content": SYSTEM}, user(QUESTION)])
        for role in ("system", "developer")
    ]
    hint = "give the template a system message for every developer message"
    near = abs(as_system - as_developer) <= 2
    expect(near, f"about {as_system} prompt_tokens as a developer", as_developer, hint)
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    call = {"id": "call_1234567890", "type": "function"}
    call["function"] = {"name": "get_weather", "arguments": "{}"}  # type: ignore[assignment]
    talk: list[Json] = [
        user("How is the weather?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1234567890", "content": "Sunny."},
        {"role": "assistant", "content": "It is sunny."},
        user("Thank you."),
    ]
    tools = [{"type": "function", "function": function}]
    status(await session.chat(talk, max_tokens=4, tools=tools), 200)


@check("chat.system_positions", level=SHOULD, cite=["FW:pydantic-ai"])
async def system_positions(session: Session) -> None:
    """A second system message, next to the first or late in the talk, is read."""
    first, second = {"role": "system", "content": SYSTEM}, {"role": "system", "content": MORE}
    hello, reply = user("Hello."), {"role": "assistant", "content": "Hello."}
    hint = "join system messages into one where the model's template takes only one"
    for without, place in (([first, user(QUESTION)], 1), ([hello, reply, user(QUESTION)], 2)):
        fewer = await prompt_tokens(session, without)
        more = await prompt_tokens(session, [*without[:place], second, *without[place:]])
        expect(more >= fewer + 8, f"over {fewer + 8} prompt_tokens", more, hint)


@check("chat.content_parts", level=MUST, cite=["SPEC:31300", "PEER:llama.cpp"])
async def content_parts(session: Session) -> None:
    """An array of text parts is read like the text that they make up."""

    async def tokens(content: str | list[Json]) -> int:
        return await prompt_tokens(session, [{"role": "user", "content": content}])

    whole, one = await tokens(SYSTEM), await tokens([_text(SYSTEM)])
    expect(one == whole, f"{whole} prompt_tokens for one part", one, "render the text alone")
    whole, two = await tokens(f"{SYSTEM}\n{MORE}"), await tokens([_text(SYSTEM), _text(MORE)])
    # Servers join parts by nothing, a space or a new line.
    expect(abs(two - whole) <= 2, f"about {whole} prompt_tokens for two parts", two)


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


@check("chat.unsupported_part", level=MUST, cite=["OURS", "PEER:vllm"])
async def unsupported_part(session: Session) -> None:
    """An image is seen, or refused with a 400 that names the part; it is never dropped."""
    text = _text("What is this?")
    image = {"type": "image_url", "image_url": {"url": images.noise()}}
    exchange = await session.chat([{"role": "user", "content": [text, image]}], max_tokens=1)
    if images.is_refused(exchange):
        return
    status(exchange, 200)
    seen = json_object(exchange)["usage"]["prompt_tokens"]
    images.judge_cost(seen - await prompt_tokens(session, [{"role": "user", "content": [text]}]))


@check("chat.messages_invalid", level=MUST, cite=["SPEC:33105", "PEER:llama.cpp"])
async def messages_invalid(session: Session) -> None:
    """Messages that are none, or wrong, are a 400 whose param leads to them."""
    wrong: tuple[Any, ...] = (
        *(..., [], "hello", [123], [{}], [{"role": 123, "content": "hello"}]),
        *([{"role": "user", "content": 123}], [user("hello"), {"role": "user", "content": True}]),
    )
    for messages in wrong:
        param = refused(await session.chat(max_tokens=1, messages=messages))["param"]
        hint = "name the wrong member, such as messages[0].role"
        expect(str(param).startswith("messages"), "error.param messages…", param, hint)


# --- text ---------------------------------------------------------------------------


@check("chat.reasoning_separate", level=MUST, cite=["FW:openai-agents", "FW:pydantic-ai"])
async def reasoning_separate(session: Session) -> None:
    """Thoughts are in one of reasoning_content and reasoning, and never in the content."""
    answers = [await natural(session), await session.answer(max_tokens=8)]
    if "scripted" in session.target.capabilities:
        answers.append(await session.answer(script("<think>why</think>because")))
    for answer in answers:
        message, text = answer["choices"][0]["message"], said(answer)
        marked = "<think>" in text or "</think>" in text
        expect(not marked, "content without thoughts", text)
        both = message.get("reasoning_content") and message.get("reasoning")
        expect(not both, "one field for thoughts", message, "clients show both, if both are set")
    whole, cut = thought(answers[0]).strip(), said(answers[1]).strip()
    leaks = bool(cut) and whole.startswith(cut)
    expect(not leaks, "no content in an answer cut while it thinks", cut)


@check("chat.unicode", level=MUST, cite=["OURS"])
async def unicode(session: Session) -> None:
    """Emoji, CJK and right-to-left text are read and written whole, escaped in JSON or not."""
    played = "scripted" in session.target.capabilities
    prompt = script(MANY_LANGUAGES) if played else f"Repeat this: {MANY_LANGUAGES}"
    body = session.body(prompt, max_tokens=32)
    escaped = await session.request("POST", "/chat/completions", json_body=body, fresh=False)
    raw = json.dumps(body, ensure_ascii=False).encode()
    plain = await session.request("POST", "/chat/completions", raw=raw, fresh=False)
    for exchange in (escaped, plain):
        status(exchange, 200)
        text = said(json_object(exchange))
        expect("\ufffd" not in text and not _misread(text), "whole characters", text)
        expect(not played or text == MANY_LANGUAGES, MANY_LANGUAGES, text)
    counts = [json_object(e)["usage"]["prompt_tokens"] for e in (escaped, plain)]
    expect(counts[0] == counts[1], "the same prompt_tokens in both forms", counts)


def _misread(text: str) -> bool:
    """Was UTF-8 taken for Latin-1?"""
    try:
        return text.encode("latin-1").decode("utf-8") != text
    except UnicodeError:
        return False
