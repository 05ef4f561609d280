"""An answer, piece by piece, and what it took."""

import os

from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
    stream_usage=True,  # asked for by itself only at OpenAI's own address
)

whole = None
for chunk in model.stream("Write a short poem about the sea."):
    print(chunk.text, end="", flush=True)
    whole = chunk if whole is None else whole + chunk
print()
print(whole.usage_metadata["output_tokens"], "tokens")
