"""Synthetic conversations in which an assistant calls tools, endless and reproducible.

``setting`` draws a system prompt and the tools offered with it; ``conversation`` draws one
exchange in that setting. Both depend on nothing but the generator they are given.
"""

from router.toolmodel.conversations.mixture import conversation
from router.toolmodel.conversations.settings import Setting, setting

__all__ = ["Setting", "conversation", "setting"]
