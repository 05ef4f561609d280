"""What clients may send: the only place that knows.

The models spell out the OpenAI reference: a field that changes the meaning of an answer is
declared here, and is honoured or refused by name. A field that is not declared is ignored,
because it changes nothing or nobody documents it. Any optional field may be null.
"""

from router.schema.chat import ChatRequest
from router.schema.completion import CompletionRequest
from router.schema.fields import ReasoningEffort
from router.schema.responses import ResponsesRequest
from router.schema.tools import ToolChoice

__all__ = [
    "ChatRequest",
    "CompletionRequest",
    "ReasoningEffort",
    "ResponsesRequest",
    "ToolChoice",
]
