"""A conversation that the server keeps: each request names the response it goes on from."""

import os

from openai import OpenAI

MODEL = os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools")

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
)
first = client.responses.create(model=MODEL, input="My name is Alice.", temperature=0)
print(first.output_text)
second = client.responses.create(
    model=MODEL, input="What is my name?", previous_response_id=first.id, temperature=0
)
print(second.output_text)
