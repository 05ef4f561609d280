from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.errors import BadRequest
from router.fielderrors import shown
from router.frames import Sampling
from router.schema import CompletionRequest
from router.tests.bodies import Body, check_refused, continued, refusal

# --- what is accepted -------------------------------------------------------------------


def test_defaults_of_the_shortest_request() -> None:
    assert continued() == CompletionRequest(
        model="m",
        prompts=["Once"],
        echo=False,
        stream=None,
        include_usage=False,
        n=1,
        max_tokens=None,
        stop=(),
        top_logprobs=None,
        sampling_given={},
    )


NULLABLE = [
    "suffix",
    "max_tokens",
    "temperature",
    "top_p",
    "n",
    "stream",
    "stream_options",
    "logprobs",
    "echo",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "best_of",
    "logit_bias",
    "seed",
    "user",
    "top_k",
    "min_p",
    "repetition_penalty",
]


@pytest.mark.parametrize("name", NULLABLE)
def test_null_is_absent(name: str) -> None:
    assert continued(**{name: None}) == continued()


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "u"},
        {"suffix": ""},
        {"echo": False},
        {"best_of": 1},
        {"stop": []},
        {"stream_options": {"include_obfuscation": True}},
        {"x_foo": {"bar": [1]}},
    ],
    ids=str,
)
def test_what_changes_nothing_is_ignored(fields: Body) -> None:
    assert continued(**fields) == continued()


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("a", ["a"]),
        ("", [""]),
        (None, [""]),
        (["a"], ["a"]),
        (["a", ""], ["a", ""]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [0]], [[1, 2], [0]]),
        (["a", [7]], ["a", [7]]),
        (["a"] * 128, ["a"] * 128),
    ],
    ids=shown,
)
def test_the_forms_of_a_prompt(prompt: object, prompts: object) -> None:
    assert continued(prompt=prompt).prompts == prompts


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"stream": True}, "stream", True),
        ({"stream_options": {"include_usage": True}}, "include_usage", True),
        ({"n": 8, "best_of": 8}, "n", 8),
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "b", "c", "d"]}, "stop", ("a", "b", "c", "d")),
        ({"logprobs": 0}, "top_logprobs", 0),
        ({"logprobs": 5}, "top_logprobs", 5),
        ({"n": 2}, "beginnings", ["", ""]),
        ({"prompt": ["a", "b"], "echo": True, "n": 2}, "beginnings", ["a", "a", "b", "b"]),
    ],
    ids=str,
)
def test_what_is_honoured(fields: Body, name: str, expected: object) -> None:
    assert getattr(continued(**fields), name) == expected


def test_sampling_is_that_of_chats() -> None:
    request = continued(temperature=0, logit_bias={"7": 1}, seed=3, top_k=4, logprobs=2)
    assert request.sampling({"temperature": 0.6, "min_p": 0.1}) == Sampling(
        temperature=0, min_p=0.1, logit_bias={7: 1}, seed=3, top_k=4, top_logprobs=2
    )


# --- what is refused --------------------------------------------------------------------

REFUSED: list[tuple[Body, str, str]] = [
    ({"prompt": 5}, "prompt", "invalid_type"),
    ({"prompt": {"text": "a"}}, "prompt", "invalid_type"),
    ({"prompt": []}, "prompt", "empty_array"),
    ({"prompt": [[]]}, "prompt", "empty_array"),
    ({"prompt": [None]}, "prompt", "invalid_type"),
    ({"prompt": [True]}, "prompt", "invalid_type"),
    ({"prompt": [1, "a"]}, "prompt", "invalid_type"),
    ({"prompt": [1, 2.0]}, "prompt", "invalid_type"),
    ({"prompt": [1, True]}, "prompt", "invalid_type"),
    ({"prompt": [[1, [2]]]}, "prompt", "invalid_type"),
    ({"prompt": [-1]}, "prompt", "invalid_value"),
    ({"prompt": [[1], [2**31]]}, "prompt", "invalid_value"),
    ({"prompt": ["a"] * 129}, "prompt", "array_above_max_length"),
    ({"prompt": ["a"] * 65, "n": 2}, "n", "integer_above_max_value"),
    ({"suffix": "the end"}, "suffix", "unsupported_parameter"),
    ({"suffix": 5}, "suffix", "invalid_type"),
    ({"best_of": 2}, "best_of", "unsupported_value"),
    ({"best_of": 1, "n": 2}, "best_of", "unsupported_value"),
    ({"best_of": "1"}, "best_of", "invalid_type"),
    ({"echo": "yes"}, "echo", "invalid_type"),
    ({"echo": True, "logprobs": 0}, "echo", "unsupported_value"),
    ({"echo": True, "prompt": [1, 2]}, "echo", "unsupported_value"),
    ({"echo": True, "prompt": ["a", [1]]}, "echo", "unsupported_value"),
    ({"logprobs": 6}, "logprobs", "integer_above_max_value"),
    ({"logprobs": -1}, "logprobs", "integer_below_min_value"),
    ({"logprobs": True}, "logprobs", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"n": 9}, "n", "integer_above_max_value"),
    ({"stop": list("abcde")}, "stop", "array_above_max_length"),
    ({"stream": 1}, "stream", "invalid_type"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "invalid_type"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"logit_bias": {"a": 1}}, "logit_bias", "invalid_value"),
    ({"min_p": 1.5}, "min_p", "decimal_above_max_value"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_field_is_named(fields: Body, param: str, code: str) -> None:
    check_refused(fields, param, code, continued)


@pytest.mark.parametrize("name", ["model", "prompt"])
def test_a_required_field_is_missed(name: str) -> None:
    body = {"model": "m", "prompt": "Once"}
    del body[name]
    with pytest.raises(BadRequest) as caught:
        CompletionRequest.parse(body)
    assert (caught.value.param, caught.value.code) == (name, "missing_required_parameter")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"best_of": 3},
            "Unsupported value for 'best_of': every answer is sent, so it can only be what `n` is,"
            " 1; leave it out.",
        ),
        (
            {"prompt": [[1], [2, "a"]]},
            "Invalid type for 'prompt': the items of prompt 1 are token ids, but one is a string.",
        ),
        (
            {"prompt": ["a"] * 100, "n": 2},
            "Invalid value for 'n': expected at most 1 for each of 100 prompts, but got 2.",
        ),
    ],
    ids=["best_of", "token ids", "choices"],
)
def test_a_message_says_what_was_expected_and_what_came(fields: Body, message: str) -> None:
    error = refusal(fields, continued)
    assert error
    assert error.message == message


@pytest.mark.parametrize("prompt", [[1] * 2_000_000, ["a"] * 2_000_000], ids=["ids", "texts"])
def test_a_flood_is_read_quickly(prompt: object) -> None:
    began = time.perf_counter()
    error = refusal({"prompt": prompt}, continued)
    assert error is None or error.param == "prompt"
    assert time.perf_counter() - began < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from([*NULLABLE, "prompt", "model"]), JSON, max_size=3))
def test_any_json_is_parsed_or_refused_with_a_field(fields: Body) -> None:
    error = refusal(fields, continued)
    assert error is None or re.split(r"[.\[]", error.param or "")[0] in fields
