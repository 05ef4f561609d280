"""A model process from its start to its end."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path

import mlx.core as mx
import msgspec

from router import embedded, frames
from router.engine import model as models
from router.engine.grammar.compiler import Compiler
from router.engine.intake import Orders, take_requests
from router.engine.link import Link
from router.engine.loop import Loop
from router.engine.prompts import Prompter


def run(link: Link, spec: frames.EngineSpec) -> None:
    """Load the model, say so, serve until the HTTP process hangs up."""
    try:
        loaded = models.load(_prepared(spec, link))
    except Exception as error:
        link.send(frames.LoadFailed(f"{type(error).__name__}: {error}"))
        return
    mx.random.seed(int.from_bytes(os.urandom(4), "big"))
    orders: Orders = queue.SimpleQueue()
    loop = Loop(loaded, link, orders, spec)
    prompter = Prompter(loaded.tokenizer, loaded.info)
    compiler = Compiler(loaded.tokenizer, loaded.info.format)
    threading.Thread(
        target=take_requests, args=(link, prompter, compiler, orders), name="intake", daemon=True
    ).start()
    link.send(frames.Ready(loaded.info))
    loop.run()


def _prepared(spec: frames.EngineSpec, link: Link) -> frames.EngineSpec:
    """With the path of an embedded model, which is made on its first use."""
    if spec.embedded_home is None:
        return spec
    path = embedded.ensure(
        Path(spec.embedded_home),
        spec.embedded_id,
        lambda stage, fraction: link.send(frames.Loading(stage, fraction)),
    )
    return msgspec.structs.replace(spec, path=str(path))
