from __future__ import annotations

import pytest

from router.fielderrors import shown
from router.tests.bodies import (
    IMAGE,
    USER,
    Body,
    assistant,
    call,
    chat,
    check_refused,
    parse,
    result,
)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": role, "content": "x"} for role in ("system", "developer", "user", "system")],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"text": "a", "type": "text"}], "name": "Ann Lee"}],
        [assistant()],
        [assistant(content=None, refusal="no", reasoning_content="hm")],
        [assistant(content=[{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}])],
        [assistant(content=None, tool_calls=None, function_call=None, audio=None)],
        [assistant(content="", tool_calls=[call(), call("call_2")]), result("call_2"), result()],
        [assistant(tool_calls=[call(index=0, arguments="")]), result(), USER, result()],
        [assistant(tool_calls=[call(arguments={"city": "Oslo"}, type=None)]), result()],
        [assistant(tool_calls=[call()]), result(content=[{"type": "text", "text": "a"}])],
        [
            assistant(function_call={"name": "f", "arguments": "{}"}),
            {"role": "function", "name": "f", "content": None},
        ],
        [{"role": "user", "content": "a", "unknown": {"kept": True}}],
    ],
    ids=shown,
)
def test_messages_are_kept_as_they_were_sent(messages: list[Body]) -> None:
    assert parse(messages=messages).messages is messages


REFUSED: list[tuple[Body, str, str]] = [
    # the model and the messages
    ({"model": ""}, "model", "invalid_value"),
    ({"model": None}, "model", "invalid_type"),
    ({"model": 5}, "model", "invalid_type"),
    ({"messages": None}, "messages", "invalid_type"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": {}}, "messages", "invalid_type"),
    (chat(), "messages", "empty_array"),
    (chat(123), "messages[0]", "invalid_type"),
    (chat(None), "messages[0]", "invalid_type"),
    (chat({}), "messages[0].role", "missing_required_parameter"),
    (chat(USER, {"content": "x"}), "messages[1].role", "missing_required_parameter"),
    (chat({"role": 123, "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": None, "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": ["user"], "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": "bot", "content": "x"}), "messages[0].role", "invalid_value"),
    (chat(USER | {"name": 5}), "messages[0].name", "invalid_type"),
    # content
    *(
        (chat({"role": role}), "messages[0].content", "missing_required_parameter")
        for role in ("system", "developer", "user")
    ),
    (
        chat({"role": "function", "name": "f"}),
        "messages[0].content",
        "missing_required_parameter",
    ),
    (chat({"role": "user", "content": None}), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": 123}), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": {}}), "messages[0].content", "invalid_type"),
    (chat(assistant(content=123)), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": ["x"]}), "messages[0].content[0]", "invalid_type"),
    (
        chat({"role": "user", "content": [{}]}),
        "messages[0].content[0].type",
        "missing_required_parameter",
    ),
    (
        chat({"role": "user", "content": [{"type": "text"}]}),
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (
        chat({"role": "user", "content": [{"type": "text", "text": 5}]}),
        "messages[0].content[0].text",
        "invalid_type",
    ),
    (
        chat({"role": "user", "content": [{"type": "poem"}]}),
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        chat({"role": "user", "content": [{"type": "refusal", "refusal": "no"}]}),
        "messages[0].content[0].type",
        "invalid_value",
    ),
    *(
        (
            chat(USER, {"role": "user", "content": [{"type": "text", "text": "a"}, part]}),
            "messages[1].content[1].type",
            "unsupported_value",
        )
        for part in (
            IMAGE,
            {"type": "input_audio", "input_audio": {}},
            {"type": "file", "file": {}},
        )
    ),
    (
        chat(assistant(tool_calls=[call()]), result(content=[IMAGE])),
        "messages[1].content[0].type",
        "unsupported_value",
    ),
    (chat(assistant(content=[IMAGE])), "messages[0].content[0].type", "unsupported_value"),
    (chat(assistant(audio={"id": "a"})), "messages[0].audio", "unsupported_parameter"),
    (chat(assistant(refusal=5)), "messages[0].refusal", "invalid_type"),
    (chat(assistant(reasoning_content=[])), "messages[0].reasoning_content", "invalid_type"),
    # calls and results
    (chat(assistant(tool_calls="x")), "messages[0].tool_calls", "invalid_type"),
    (chat(assistant(tool_calls=["x"])), "messages[0].tool_calls[0]", "invalid_type"),
    (
        chat(assistant(tool_calls=[{"function": {}}])),
        "messages[0].tool_calls[0].id",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(), call("")])),
        "messages[0].tool_calls[1].id",
        "invalid_value",
    ),
    (chat(assistant(tool_calls=[call(5)])), "messages[0].tool_calls[0].id", "invalid_type"),
    (
        chat(assistant(tool_calls=[call(type="custom")])),
        "messages[0].tool_calls[0].type",
        "unsupported_value",
    ),
    (
        chat(assistant(tool_calls=[{"id": "a"}])),
        "messages[0].tool_calls[0].function",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(function={"name": 5, "arguments": ""})])),
        "messages[0].tool_calls[0].function.name",
        "invalid_type",
    ),
    (
        chat(assistant(tool_calls=[call(function={"name": "f"})])),
        "messages[0].tool_calls[0].function.arguments",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(arguments=[1])])),
        "messages[0].tool_calls[0].function.arguments",
        "invalid_type",
    ),
    (
        chat(assistant(function_call={"name": "f"})),
        "messages[0].function_call.arguments",
        "missing_required_parameter",
    ),
    (
        chat({"role": "function", "content": "x"}),
        "messages[0].name",
        "missing_required_parameter",
    ),
    (
        chat({"role": "tool", "content": "x"}),
        "messages[0].tool_call_id",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call()]), {"role": "tool", "tool_call_id": "call_1"}),
        "messages[1].content",
        "missing_required_parameter",
    ),
    (chat(result(5)), "messages[0].tool_call_id", "invalid_type"),
    (chat(USER, result("call_9")), "messages[1].tool_call_id", "invalid_value"),
    (chat(result(), assistant(tool_calls=[call()])), "messages[0].tool_call_id", "invalid_value"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_message_is_named(fields: Body, param: str, code: str) -> None:
    check_refused(fields, param, code)
