"""The HTTP side of one model process: start it, talk to it, notice its death."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import msgspec

from router import frames
from router.errors import BadRequest, ContextTooLong, Internal

log = logging.getLogger("router.worker")

LAST_WORDS = 12
"""Lines of a model process's stderr that are kept to explain its death."""

GRACE = 5.0
"""Seconds a model process gets to end by itself before it is killed."""

OnProgress = Callable[[str, float], None]
OnStats = Callable[[frames.Stats], None]


class LoadError(Exception):
    """The model could not be loaded; the message says why."""


class ProcessDied(Internal):
    """The process of the model has died, with all its requests."""


class Generation:
    """One request inside the engine. Read it with ``receive`` until it is ``finished``;
    leaving early is allowed, ``cancel`` frees its sequences within one engine step."""

    def __init__(self, worker: Worker, request: frames.Generate) -> None:
        self.request = request
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.reasoning_open = False
        self.format = worker.info.format
        self.context_length = worker.info.context_length
        self._worker = worker
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._unfinished = set(range(request.sequences))

    async def admitted(self) -> None:
        """Wait until the engine has taken the request. Raises BadRequest when it refuses."""
        frame = await self._next()
        if isinstance(frame, frames.Refused):
            if frame.code == ContextTooLong.code:
                raise ContextTooLong(frame.message, param=frame.param)
            raise BadRequest(frame.message, param=frame.param, code=frame.code)
        self.prompt_tokens = frame.prompt_tokens
        self.reasoning_open = frame.reasoning_open

    @property
    def finished(self) -> bool:
        return not self._unfinished

    async def receive(self, timeout: float) -> frames.Piece | frames.Ended | None:
        """The next piece or end of a sequence; None when ``timeout`` seconds pass first.

        Raises Internal when the request or its whole process dies.
        """
        try:
            async with asyncio.timeout(timeout):
                frame = await self._next()
        except TimeoutError:
            return None
        if isinstance(frame, frames.Prefilling):
            self.cached_tokens += frame.cached_tokens
            return None
        if frame.index not in self._unfinished:
            return None
        if isinstance(frame, frames.Ended):
            self._unfinished.discard(frame.index)
        return cast(frames.Piece | frames.Ended, frame)

    def cancel(self, index: int | None = None) -> None:
        """Stop one sequence, or all: nothing more of it is delivered."""
        stopping = set(self._unfinished) if index is None else {index} & self._unfinished
        if stopping:
            self._unfinished -= stopping
            self._worker.send(frames.Cancel(self.request.id, index))

    def deliver(self, frame: Any) -> None:
        self._inbox.put_nowait(frame)

    async def _next(self) -> Any:
        frame = await self._inbox.get()
        if isinstance(frame, frames.Fault):
            self._unfinished.clear()
            raised = ProcessDied if self._worker.dead.is_set() else Internal
            raise raised(
                f"The model stopped while answering: {frame.message}. Send the request again.",
                code=frame.code,
            )
        return frame


class Worker:
    """A running model process. Make one with ``Worker.start``."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, on_stats: OnStats | None
    ) -> None:
        self.name = name
        self.info = frames.ModelInfo(context_length=0, format=frames.OutputFormat())
        self.dead = asyncio.Event()
        self._process = process
        self._on_stats = on_stats
        self._generations: dict[int, Generation] = {}
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._writer: asyncio.StreamWriter
        self._tasks: list[asyncio.Task[None]] = []
        self._next_id = 0
        self._ready = False
        self._stopping = False

    @classmethod
    async def start(
        cls,
        name: str,
        spec: frames.EngineSpec,
        *,
        on_progress: OnProgress | None = None,
        on_stats: OnStats | None = None,
    ) -> Worker:
        """Start a process and wait until its model is loaded. Raises LoadError."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "router.engine",
                "--fd",
                str(theirs.fileno()),
                msgspec.json.encode(spec).decode(),
                pass_fds=[theirs.fileno()],
                stderr=asyncio.subprocess.PIPE,
                # Ctrl-C in a terminal is for the router, which then drains its requests.
                start_new_session=True,
            )
        worker = cls(name, process, on_stats)
        reader, worker._writer = await asyncio.open_connection(sock=ours)
        worker._tasks.append(asyncio.create_task(worker._collect_last_words()))
        try:
            await worker._loaded(reader, on_progress)
        except BaseException:
            await worker.stop()
            raise
        worker._tasks.append(asyncio.create_task(worker._receive(reader)))
        return worker

    async def generate(self, request: frames.Generate) -> Generation:
        """Send a request (its ``id`` is set here) and wait for its admission.

        Raises BadRequest when the engine refuses it, ProcessDied when the process is dead.
        """
        self._next_id += 1
        request = msgspec.structs.replace(request, id=self._next_id)
        generation = Generation(self, request)
        if self.dead.is_set():
            generation.deliver(frames.Fault(request.id, "its process died"))
        self._generations[request.id] = generation
        try:
            self.send(request)
            await generation.admitted()
        except BaseException:
            self.release(generation)
            raise
        return generation

    def release(self, generation: Generation) -> None:
        """Forget a request; what it still has in the engine is cancelled."""
        generation.cancel()
        self._generations.pop(generation.request.id, None)

    def send(self, frame: frames.ToEngine) -> None:
        if self.dead.is_set():
            return
        try:
            self._writer.write(frames.encode([frame]))
        except OverflowError:
            raise BadRequest(
                "An integer in the messages or in the tools has more than 64 bits."
                " Write it as a string.",
                param="messages",
                code="integer_above_max_value",
            ) from None

    def fail_all(self, why: str, code: str = "engine_fault") -> None:
        """End every request in flight with an error."""
        for generation in self._generations.values():
            generation.deliver(frames.Fault(generation.request.id, why, code))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self) -> None:
        """End the process: hang up, wait a little, kill."""
        self._stopping = True
        self.dead.set()
        self._writer.close()
        try:
            # A process that still loads would not notice that nobody is there any more.
            await asyncio.wait_for(self._process.wait(), GRACE if self._ready else 0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._on_stats:
            self._on_stats(frames.Stats(0, 0, 0))

    # --- reading ---

    async def _loaded(self, reader: asyncio.StreamReader, on_progress: OnProgress | None) -> None:
        async for batch in _messages(reader):
            for frame in batch:
                if isinstance(frame, frames.Loading) and on_progress:
                    on_progress(frame.stage, frame.fraction)
                elif isinstance(frame, frames.LoadFailed):
                    raise LoadError(frame.message)
                elif isinstance(frame, frames.Ready):
                    self.info = frame.info
                    self._ready = True
                    return
        await self._process.wait()
        raise LoadError(self._cause_of_death())

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        async for batch in _messages(reader):
            for frame in batch:
                if isinstance(frame, frames.Stats):
                    if self._on_stats:
                        self._on_stats(frame)
                elif generation := self._generations.get(frame.id):
                    generation.deliver(frame)
        self.dead.set()
        self.fail_all("its process died")
        if self._on_stats:
            self._on_stats(frames.Stats(0, 0, 0))
        await self._process.wait()
        if not self._stopping:
            log.error("the process of model %s died: %s", self.name, self._cause_of_death())

    async def _collect_last_words(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._last_words.append(text)
            # Libraries chatter while a model loads; afterwards only trouble is written here.
            log.log(logging.WARNING if self._ready else logging.DEBUG, "%s: %s", self.name, text)

    def _cause_of_death(self) -> str:
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"{how}; last words: {' | '.join(self._last_words) or 'none'}"


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[list[Any]]:
    """Decoded messages until the other side hangs up."""
    try:
        while True:
            header = await reader.readexactly(frames.HEADER_BYTES)
            body = await reader.readexactly(int.from_bytes(header, "big"))
            yield list(frames.decode_from_engine(body))
    except (asyncio.IncompleteReadError, ConnectionError):
        return
