"""An answer, piece by piece, and what it took."""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
)
chunks = client.chat.completions.create(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    messages=[{"role": "user", "content": "Write a short poem about the sea."}],
    temperature=0,
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in chunks:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    else:  # the last chunk has the usage, and no choices
        print(f"\n{chunk.usage.completion_tokens} tokens")
