"""MLX Router: a local OpenAI-compatible server for MLX models."""

__version__ = "0.1.0"
