"""What a conversation takes place in: a system prompt and the tools offered."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from router.toolmodel.conversations import chains, invented, records
from router.toolmodel.conversations.text import drawn, expand
from router.toolmodel.conversations.tools import STYLES, Offered, Tool, offered, written

INVENTED_SHARE = 0.2
"""Of the tools offered."""

WRITTEN_PLANS_SHARE = 0.6
"""Of the chains: the others are of invented tools."""

SHARES = {
    "plain": 63,
    "chain": 16,
    "bare": 10,
    "structured": 4,
    "json": 3,
    "arithmetic": 2,
    "handoff": 2,
}

TERMINATE = "TERMINATE"


@dataclass(frozen=True)
class Setting:
    """``tools`` in the shape of the OpenAI API. What follows them is for ``conversation``."""

    system: str | None
    tools: tuple[dict[str, Any], ...]
    kind: str = "bare"
    offered: tuple[Offered, ...] = ()
    chain: chains.Chain | None = None
    record: records.Record | None = None


def setting(random: Random) -> Setting:
    kind = random.choices(list(SHARES), list(SHARES.values()))[0]
    return MAKERS[kind](random)


def _made(
    random: Random,
    kind: str,
    tools: list[Offered],
    chain: chains.Chain | None = None,
    record: records.Record | None = None,
) -> Setting:
    system = _system(random)
    if kind == "json" and record:
        system = "\n\n".join(filter(None, (system, records.schema_prompt(record))))
    definitions = [one.definition for one in tools]
    if kind == "structured" and record and record.offered:
        definitions.append(record.offered.definition)
    random.shuffle(definitions)
    return Setting(system, tuple(definitions), kind, tuple(tools), chain, record)


def _bare(random: Random) -> Setting:
    return _made(random, "bare", [])


def _plain(random: Random) -> Setting:
    count = random.choices((1, 2, 3, 4, 5, 6), (20, 28, 24, 15, 8, 5))[0]
    return _made(random, "plain", offer(random, _tools(random, count)))


def _chain(random: Random) -> Setting:
    written_plan = random.random() < WRITTEN_PLANS_SHARE
    plan = random.choice(chains.written()) if written_plan else chains.invented(random)
    others = _tools(random, random.choice((0, 0, 0, 1, 1, 2)))
    rest = [tool for tool in others if tool not in (plan.first, plan.second)]
    tools = offer(random, [plan.first, plan.second, *rest])
    return _made(random, "chain", tools, chain=chains.Chain(plan, tools[0], tools[1]))


def _arithmetic(random: Random) -> Setting:
    count = random.choice((2, 2, 3, 4))
    return _made(random, "arithmetic", offer(random, chains.operations(random, count)))


def _handoff(random: Random) -> Setting:
    roles = [tool for tool in written() if tool.domain == "handoff"]
    return _made(random, "handoff", offer(random, random.sample(roles, random.randint(1, 4))))


def _structured(random: Random) -> Setting:
    style = random.choice(STYLES)
    record = records.record(random, style)
    others = _tools(random, random.choice((0, 0, 1, 1, 2)))
    return _made(random, "structured", offer(random, others), record=record)


def _json(random: Random) -> Setting:
    others = _tools(random, random.choice((0, 0, 1)))
    return _made(random, "json", offer(random, others), record=records.record(random, "snake"))


MAKERS: dict[str, Callable[[Random], Setting]] = {
    "plain": _plain,
    "chain": _chain,
    "bare": _bare,
    "structured": _structured,
    "json": _json,
    "arithmetic": _arithmetic,
    "handoff": _handoff,
}


def offer(random: Random, tools: list[Tool]) -> list[Offered]:
    """The tools in one naming style, under names that differ."""
    while True:
        style = random.choice(STYLES)
        found = [offered(random, tool, style) for tool in tools]
        if len({one.name for one in found}) == len(found):
            return found


def _tools(random: Random, count: int) -> list[Tool]:
    """``count`` different tools, often such as are easily confused."""
    general = [tool for tool in written() if tool.domain != "handoff"]
    near = random.random() < 0.4
    noun, verb = drawn(random, "word"), drawn(random, "verb")
    domain = random.choice(general).domain
    kin = [tool for tool in general if tool.domain == domain]
    tools: list[Tool] = []
    while len(tools) < count:
        if random.random() < INVENTED_SHARE:
            same_noun = random.random() < 0.5
            tools.append(
                invented.tool(
                    random, noun if near and same_noun else None, None if same_noun else verb
                )
                if near
                else invented.tool(random)
            )
            continue
        tool = random.choice(kin if near and random.random() < 0.6 else general)
        if tool not in tools:
            tools.append(tool)
        else:
            near = False
    return tools


SYSTEMS = (
    *("You are a helpful assistant.",) * 7,
    *("You are a helpful AI assistant.", "You are an assistant with access to tools.", "Be brief."),
    *(
        "You are a friendly assistant. Be concise.",
        "Use the tools when they are needed.",
        "You are a bot.",
    ),
    *("Answer the user's questions with the functions you have.", "Answer in one sentence."),
    *("You are a smart agent that helps users with their tasks. Always use the available tools.",),
    *('You are an agent. Your internal name is "{noun}_agent". Your job is to help the user.',),
    *("You are {made}, an expert {noun} assistant.", "You are a {noun} agent.", "You are {first}."),
    *("You are a helpful {noun} assistant. Keep your answers short.", "You work for {company}."),
    *("You are {made}. You help people with {word}.\nYour goal is to answer the user.",),
    *(
        "You are a customer service agent for {company}.",
        "You are a {adjective} helper for {word}.",
    ),
    *("You are a multi-purpose assistant working for {made}. Today is {iso}.",),
    *(
        "Today's date is {iso}.",
        "Current date: {iso}. Current time: {clock}.",
    ),
    *("When a tool can answer the question, call it.", "Do not make up information."),
    *("You can use tools. Only call a tool if it is needed.", "You route requests to functions."),
    *("You are part of a team of agents. Do your part and report the result.",),
    *("You are the {job} of {company}. {first} and {first} are your colleagues.",),
    *("Role: {job}. Goal: help with {phrase}. Use a tool whenever one fits.",),
)
ENDINGS = (
    "You solve tasks with tools. When you are finished, end your answer with TERMINATE.",
    "You are a helpful assistant. Write TERMINATE at the end once the task is done.",
)


def _system(random: Random) -> str | None:
    chance = random.random()
    if chance < 0.15:
        return None
    if chance < 0.18:
        return random.choice(ENDINGS)
    return expand(random, random.choice(SYSTEMS))
