"""What a model writes between the markers of its tool section, for each format of mlx-lm.

The parsers are mlx-lm's ``tool_parsers``; each has its description here under the same name.
The markers themselves differ from model to model and come from its tokenizer.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, replace

from router.engine.grammar.arguments import Arguments, AsJson, Listed, Reading, Tagged
from router.engine.grammar.lark import Lark, choice
from router.engine.grammar.notation import Notation
from router.engine.grammar.schemas import Schema
from router.engine.grammar.texts import Unwritable


@dataclass(frozen=True)
class CallFormat:
    """``before`` and ``after`` stand around the arguments of a call, with ``{name}`` for the
    function. ``lead`` and ``trail`` stand around the calls of a section. ``between`` separates
    several calls of one section; None: a section holds one call, and several calls are
    several sections. All of them are layouts (see ``Lark.layout``).

    ``names``: the functions whose names the parser can read. ``instead``: the format of models
    that lack the special token ``needs``."""

    before: str
    arguments: Arguments
    after: str
    lead: str = ""
    trail: str = ""
    between: str | None = None
    names: re.Pattern[str] = re.compile(r"[\w-]+")
    needs: str = ""
    instead: CallFormat | None = None

    def section(self, lark: Lark, functions: dict[str, Schema], *, many: bool) -> str:
        """What stands between the section's markers. ``functions`` are the names that may be
        called and the schemas of their arguments; not ``many``: one call only.

        A function that the format has no way to call is called in JSON, which the router reads
        in a section of any format."""
        if self.instead and not lark.is_special(self.needs):
            return self.instead.section(lark, functions, many=many)
        own, others = [], []
        for name, schema in functions.items():
            try:
                own.append(self._call(lark, name, schema))
            except Unwritable:
                others.append(PLAIN._call(lark, name, schema))
        plain = replace(PLAIN, between=None if self.between is None else "\n")
        ways = [(self, own), (plain, others)]
        return choice([way._calls(lark, calls, many=many) for way, calls in ways if calls])

    def _calls(self, lark: Lark, calls: list[str], *, many: bool) -> str:
        call = lark.rule(choice(calls))
        more = f"({lark.layout(self.between)} {call})*" if many and self.between is not None else ""
        return lark.rule(f"{lark.layout(self.lead)} {call} {more} {lark.layout(self.trail)}")

    def _call(self, lark: Lark, name: str, schema: Schema) -> str:
        if not self.names.fullmatch(name):
            raise Unwritable(f"the name {name!r}")
        arguments = self.arguments.expression(lark, schema)
        before = lark.layout(self.before.replace("{name}", name))
        return lark.rule(f"{before} {arguments} {lark.layout(self.after)}")


ANY_NAME = re.compile(".+")

PLAIN = CallFormat(
    before='{"name": "{name}", "arguments": ', arguments=AsJson(), after="}", names=ANY_NAME
)

_WORD = re.compile(r"\w+")
_IDENTIFIER = re.compile(rf"(?!(?:{'|'.join(keyword.kwlist)})\Z)[^\W\d]\w*", re.ASCII)

_QUOTED = re.compile(r'[^"\\\x00-\x1f{},]*')

_GEMMA = Notation(
    words=("true", "false", "null"),
    top=((_WORD, "{key}:"), (_QUOTED, '"{key}":')),
    inner=((_WORD, "{key}:"), (_QUOTED, '"{key}":')),
    comma=",",
    quote='<|"|>',
    never="\0",  # the parser's own mark for a string
)
_FUNCTION_GEMMA = replace(
    _GEMMA,
    top=((re.compile(r"[^\s:,{}<>]+"), "{key}:"),),
    quote="<escape>",
    never="}",  # the parser takes the first one for the end of the call
    deep=False,
)
_PYTHON = Notation(
    words=("True", "False", "None"),
    top=((_IDENTIFIER, "{key}="),),
    inner=((_QUOTED, '"{key}": '),),
    comma=", ",
    json=True,
)

_GLM = CallFormat(
    before="{name}\n?",
    arguments=Tagged(
        before="<arg_key>{key}</arg_key>\n?<arg_value>",
        after="</arg_value>",
        gap="\n?",
        reading=Reading.DECLARED,
        strips=True,
    ),
    after="",
)

FORMATS: dict[str, CallFormat] = {
    "function_gemma": CallFormat(
        before="call:{name}{", arguments=Listed(_FUNCTION_GEMMA), after="}", names=_WORD
    ),
    "gemma4": CallFormat(before="call:{name}{", arguments=Listed(_GEMMA), after="}"),
    "glm47": _GLM,
    "json_tools": replace(PLAIN, lead="\n", trail="\n"),
    "kimi_k2": CallFormat(
        before="<|tool_call_begin|>functions.{name}:{index}<|tool_call_argument_begin|>",
        arguments=AsJson(),
        after="<|tool_call_end|>",
        between="",
    ),
    "kimi_k3": CallFormat(
        before='<|open|>call tool="{name}" index="{index}"<|sep|>',
        arguments=Tagged(
            before='<|open|>argument key="{key}" type="{type}"<|sep|>',
            after="<|close|>argument<|sep|>",
            reading=Reading.STATED,
        ),
        after="<|close|>call<|sep|>",
        between="",
    ),
    "laguna": _GLM,
    "longcat": CallFormat(
        before="{name}\n?",
        arguments=Tagged(
            before="<longcat_arg_key>{key}</longcat_arg_key>\n?<longcat_arg_value>",
            after="</longcat_arg_value>",
            gap="\n?",
            reading=Reading.DECLARED,
            strips=True,
        ),
        after="",
    ),
    "minicpm5": CallFormat(
        before='"{name}">',
        arguments=Tagged(
            before='<param name="{key}">',
            after="</param>",
            strips=True,
            null=True,
            data=("<![CDATA[", "]]>"),
            never=("</param>", "</function>"),
        ),
        after="",
    ),
    "minimax_m2": CallFormat(
        before='<invoke name="{name}">\n',
        arguments=Tagged(
            before='<parameter name="{key}">',
            after="</parameter>",
            gap="\n",
            strips=True,
            null=True,
            never=("</invoke>",),
        ),
        after="</invoke>",
        lead="\n",
        trail="\n",
        between="\n",
    ),
    "mistral": CallFormat(
        before="{name}{call_id}[ARGS]",
        arguments=AsJson(),
        after="",
        between="[TOOL_CALLS]",
        needs="[ARGS]",
        instead=replace(PLAIN, lead=" ?[", trail="]", between=", "),
    ),
    "muse_spark": CallFormat(
        before='<atem:invoke name="{name}">\n',
        arguments=Tagged(
            before='<atem:parameter name="{key}">',
            after="</atem:parameter>",
            gap="\n",
            reading=Reading.JSON,
            strips=True,
        ),
        after="</atem:invoke>",
        lead="\n",
        trail="\n",
        between="\n",
    ),
    "pythonic": CallFormat(
        before="{name}(",
        arguments=Listed(_PYTHON),
        after=")",
        lead="[",
        trail="]",
        between=", ",
        names=_IDENTIFIER,
    ),
    "qwen3_coder": CallFormat(
        before="<function={name}>\n",
        arguments=Tagged(
            before="<parameter={key}>\n",
            after="\n</parameter>",
            gap="\n",
            strips=True,
            null=True,
        ),
        after="</function>",
        lead="\n",
        trail="\n",
    ),
}
