from __future__ import annotations

import msgspec
import pytest

from router.fielderrors import shown
from router.frames import Sampling
from router.tests.bodies import Body, check_refused, parse


def test_sampling_without_a_word_from_anyone_is_openais() -> None:
    assert parse().sampling({}) == Sampling(temperature=1.0, top_p=1.0)


def test_the_request_beats_the_model_beats_openai() -> None:
    request = parse(temperature=0, top_k=3, seed=-(2**63), presence_penalty=-2)
    assert request.sampling({"temperature": 0.6, "top_p": 0.95, "top_k": 20.0}) == Sampling(
        temperature=0, top_p=0.95, top_k=3, seed=-(2**63), presence_penalty=-2
    )


def test_all_sampling_fields_reach_the_engine() -> None:
    fields: Body = {
        "temperature": 2,
        "top_p": 0,
        "top_k": 5,
        "min_p": 0.1,
        "repetition_penalty": 1.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "logit_bias": {"50256": -100, "7": 1.5},
        "seed": 2**63 - 1,
    }
    sampling = parse(**fields, logprobs=True, top_logprobs=2).sampling({"temperature": 0.1})
    assert msgspec.to_builtins(sampling) == fields | {
        "logit_bias": {50256: -100, 7: 1.5},
        "top_logprobs": 2,
    }


def test_the_engine_can_decode_defaults_that_came_from_json_numbers() -> None:
    sent = msgspec.msgpack.encode(parse().sampling({"top_k": 20.0, "temperature": 1}))
    assert msgspec.msgpack.decode(sent, type=Sampling).top_k == 20


REFUSED: list[tuple[Body, str, str]] = [
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"temperature": 10**30}, "temperature", "decimal_above_max_value"),
    ({"temperature": 10**400}, "temperature", "invalid_type"),
    ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value"),
    ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
    ({"frequency_penalty": -3}, "frequency_penalty", "decimal_below_min_value"),
    ({"min_p": 1.5}, "min_p", "decimal_above_max_value"),
    ({"repetition_penalty": 0}, "repetition_penalty", "decimal_below_min_value"),
    ({"repetition_penalty": 2.5}, "repetition_penalty", "decimal_above_max_value"),
    ({"top_k": -1}, "top_k", "integer_below_min_value"),
    ({"top_k": 1.5}, "top_k", "invalid_type"),
    ({"seed": 2**63}, "seed", "integer_above_max_value"),
    ({"seed": -(2**63) - 1}, "seed", "integer_below_min_value"),
    ({"seed": 1.5}, "seed", "invalid_type"),
    ({"seed": True}, "seed", "invalid_type"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 9}, "n", "integer_above_max_value"),
    ({"n": 10**400}, "n", "integer_above_max_value"),
    ({"n": "2"}, "n", "invalid_type"),
    ({"n": True}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": "5"}, "max_tokens", "invalid_type"),
    ({"max_tokens": 10**30}, "max_tokens", "integer_above_max_value"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "integer_below_min_value"),
    ({"logprobs": 1}, "logprobs", "invalid_type"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
    ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
    ({"logprobs": False, "top_logprobs": 0}, "top_logprobs", "invalid_value"),
    ({"logit_bias": [1]}, "logit_bias", "invalid_type"),
    ({"logit_bias": {"a": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"9" * 5000: 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"7": 101}}, "logit_bias.7", "decimal_above_max_value"),
    ({"logit_bias": {"7": "x"}}, "logit_bias.7", "invalid_type"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_number_is_named(fields: Body, param: str, code: str) -> None:
    check_refused(fields, param, code)
