"""A request that the engine cannot take."""

from __future__ import annotations


class Refusal(ValueError):
    """``code`` and ``param`` are as in an OpenAI error, the message is for the client."""

    def __init__(self, message: str, code: str, param: str = "messages") -> None:
        super().__init__(message)
        self.code = code
        self.param = param
