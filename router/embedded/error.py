"""What can go wrong while an embedded model is made ready."""


class EmbeddedError(RuntimeError):
    """The model cannot be made ready. The message is one line: what is wrong, what to do."""
