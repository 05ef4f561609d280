"""Requests that nothing on offer can do: said as any other request, answered in words."""

from random import Random

from router.toolmodel.conversations import invented
from router.toolmodel.conversations.messages import Message, assistant, user
from router.toolmodel.conversations.requests import Ask, ask, clause, message, said
from router.toolmodel.conversations.settings import Setting
from router.toolmodel.conversations.text import drawn, listed
from router.toolmodel.conversations.tools import STYLES, Tool, offered, written


def unfit(random: Random, setting: Setting) -> list[Message]:
    """One request, now and then two, for tools that are not offered."""
    if random.random() < 0.1:
        text = message(random, "!", listed([clause(random, _ask(random, setting)) for _ in "12"]))
    else:
        text = said(random, _ask(random, setting))
    return [user(text), assistant(random.choice(REFUSALS if setting.tools else UNABLE))]


def _ask(random: Random, setting: Setting) -> Ask:
    return ask(random, offered(random, missing(random, setting), random.choice(STYLES)))


def missing(random: Random, setting: Setting) -> Tool:
    """A tool that the setting does not offer."""
    offered_for = {about for one in setting.offered for about in one.tool.about}
    while True:
        invents = random.random() < 0.4
        tool = _invented(random, setting) if invents else _written(random, setting)
        if not offered_for & set(tool.about):
            return tool


def _written(random: Random, setting: Setting) -> Tool:
    """One of another domain than those offered: within a domain, purposes overlap."""
    taken = {one.tool.domain for one in setting.offered} | {"handoff", "arithmetic"}
    return random.choice([one for one in written() if one.domain not in taken])


def _invented(random: Random, setting: Setting) -> Tool:
    """Something else altogether, the wrong thing with the right verb or the other way round."""
    actions = [one.tool for one in setting.offered if one.tool.verb]
    noun, verb = drawn(random, "word"), drawn(random, "verb")
    if not actions or random.random() < 0.4:
        return invented.tool(random)
    near = random.choice(actions)
    if random.random() < 0.5:
        return invented.action(random, noun, near.verb)
    return invented.action(random, near.noun, verb)


REFUSALS = (
    "I'm sorry, I don't have a tool for that.",
    "I'm sorry, I don't have a tool that can do that.",
    "I'm sorry, none of my tools can do that.",
)
"""All begin alike: what is to be learned is when to say one of them, not which."""

UNABLE = (
    "I'm sorry, I have no tools for that, so I can't do it.",
    "I'm sorry, I don't have access to tools for that.",
)
