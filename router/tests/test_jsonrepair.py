import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.jsonrepair import repair

MENDED = {
    "trailing_comma": ('{"a": [1, 2, ], }', {"a": [1, 2]}),
    "missing_closers": ('{"a": {"b": [1, {"c": "}"}', {"a": {"b": [1, {"c": "}"}]}}),
    "missing_inner_closer": ('[{"a": [1, 2}]', [{"a": [1, 2]}]),
    "closed_too_often": ('{"a": 1}}]', {"a": 1}),
    "python": ("{'a': True, 'b': [False, None]}", {"a": True, "b": [False, None]}),
    "quotes_in_single_quotes": (
        r"""{'a': 'say "it\'s"', 'b': 'c\\d\n'}""",
        {"a": 'say "it\'s"', "b": "c\\d\n"},
    ),
    "apostrophe_in_double_quotes": ('{"a": "it\'s", \'b\': 1}', {"a": "it's", "b": 1}),
    "words_in_strings": ('{"a": "True, ]", }', {"a": "True, ]"}),
}


@pytest.mark.parametrize(("text", "meant"), MENDED.values(), ids=MENDED)
def test_mended(text: str, meant: object) -> None:
    assert json.loads(repair(text)) == meant


@pytest.mark.parametrize(
    "text", ['{"a": "b', "{'a': 'b}", "hello", '{"a" 1}', "{a: 1}", '{"a": [1,']
)
def test_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Illegal"):
        json.loads(repair(text))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_stays_as_it_is(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert repair(text) == text


@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=3))
def test_python_reads_as_json(value: dict[str, object]) -> None:
    escaped = json.loads(json.dumps(value))
    text = repr(escaped)
    if "\\x" not in text and "\\U" not in text:
        assert json.loads(repair(text), strict=False) == escaped
