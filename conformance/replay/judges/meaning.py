"""Whether an answer does what was asked for: never what it says, but what it must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from conformance import schemas
from conformance.replay.judges import counts, echo, vectors
from conformance.replay.judges.answer import Answer, Json
from conformance.replay.judges.asked import Asked
from conformance.replay.judges.problem import Problem
from conformance.replay.judges.said import Said, said

CUT = ("length", "content_filter")
"""What ends so is the beginning of an answer."""


def problems(answer: Answer) -> Iterator[Problem]:
    if answer.failed or answer.broken:
        return
    if answer.kind == "embeddings":
        found = [(rule.__name__, words) for rule in vectors.RULES for words in rule(answer)]
    elif answer.kind in ("chat.completion", "text_completion", "response"):
        found = [*_of_choices(answer), *_of_counts(answer), *_of_echo(answer)]
    else:
        found = []
    for rule, words in found:
        yield Problem("meaning", rule, words)


def _of_choices(answer: Answer) -> Iterator[tuple[str, str]]:
    asked, choices = Asked.of(answer.kind, answer.request), said(answer)
    for choice in choices:
        for rule in RULES:
            yield from ((rule.__name__, words) for words in rule(asked, choice))


def _of_counts(answer: Answer) -> Iterator[tuple[str, str]]:
    asked, choices = Asked.of(answer.kind, answer.request), said(answer)
    for rule in counts.RULES:
        yield from ((rule.__name__, words) for words in rule(answer, asked, choices))


def _of_echo(answer: Answer) -> Iterator[tuple[str, str]]:
    """Of every response in a stream."""
    if answer.kind == "response" and answer.exchange.sent.method == "POST":
        for found in answer.objects:
            if found.kind in ("response", "response.begun"):
                yield from (("echo", words) for words in echo.wrong(answer.request, found.value))


def calls(asked: Asked, choice: Said) -> Iterator[str]:
    """A call is of a function that was offered, with arguments that its schema accepts."""
    for name, arguments in choice.calls:
        if name not in asked.callable:
            yield f"a call of {name!r}, which was not offered or not to be called"
        elif words := _unlike(arguments, {"type": "object", **asked.functions.get(name, {})}):
            yield f"the arguments of {name!r}: {words}"


def forced(asked: Asked, choice: Said) -> Iterator[str]:
    """A tool is called if one must be, and none if none may be."""
    called = bool(choice.calls) or choice.others
    if asked.choice == "none" and called:
        yield f"{len(choice.calls)} calls, with tool_choice none"
    must = asked.choice in ("required", "named")
    if must and not called and not choice.refused and choice.finish not in CUT:
        yield f"no call, with tool_choice {asked.choice}"


def one_call(asked: Asked, choice: Said) -> Iterator[str]:
    """Without parallel calls there is one at most."""
    if not asked.parallel and len(choice.calls) > 1:
        yield f"{len(choice.calls)} calls, with parallel_tool_calls false"


def document(asked: Asked, choice: Said) -> Iterator[str]:
    """A text that must be JSON of a schema is."""
    free = choice.calls or choice.others or choice.refused or choice.finish in CUT
    if asked.document is None or free:
        return
    for text in _documents(choice.text or ""):
        if words := _unlike(text, asked.document):
            yield words


def one_document(asked: Asked, choice: Said) -> Iterator[str]:
    """A text that must be JSON is one document."""
    if asked.document is not None and len(_documents(choice.text or "")) > 1:
        yield f"several documents: {str(choice.text)[:200]!r}"


def stopped(asked: Asked, choice: Said) -> Iterator[str]:
    """The text does not contain what it was to stop at."""
    yield from (
        f"the text contains {stop!r}" for stop in asked.stops if stop in (choice.text or "")
    )


def logprobs(asked: Asked, choice: Said) -> Iterator[str]:
    """Where there is text, its log probabilities are there if they were asked for."""
    if asked.logprobs and choice.text and not choice.logprobs:
        yield "no logprobs, which were asked for"


def finish(asked: Asked, choice: Said) -> Iterator[str]:
    """An answer has an end, and says so rightly when it ends with calls."""
    if choice.finish is None:
        yield "no finish_reason"
    if choice.finish == "tool_calls" and not choice.calls and not choice.others:
        yield "finish_reason tool_calls, without one"


def something(asked: Asked, choice: Said) -> Iterator[str]:
    """Only an answer that calls or refuses has no content."""
    if choice.text is None and not (choice.calls or choice.others or choice.refused):
        yield "no content, and nothing in its place"


RULES: tuple[Callable[[Asked, Said], Iterator[str]], ...] = (
    calls,
    forced,
    one_call,
    document,
    one_document,
    stopped,
    logprobs,
    finish,
    something,
)


def _documents(text: str) -> list[str]:
    """JSON documents, if the text is a row of such, which clients cannot read; else all of it."""
    found, rest = [], text.strip()
    while rest:
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return [text]
        found.append(rest[:end])
        rest = rest[end:].strip()
    return found or [text]


def _unlike(text: str, schema: Json) -> str | None:
    """Why a text is no JSON that the schema accepts."""
    try:
        value = json.loads(text)
    except ValueError:
        return f"no JSON: {str(text)[:200]!r}"
    return schemas.fault(value, schema)
