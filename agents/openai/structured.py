"""An answer that is an object: the server holds the model to its schema."""

import os

from openai import OpenAI
from pydantic import BaseModel


class Person(BaseModel):
    name: str
    age: int


client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
)
completion = client.chat.completions.parse(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    messages=[{"role": "user", "content": "Anna is 31 years old."}],
    response_format=Person,
    temperature=0,
)
print(repr(completion.choices[0].message.parsed))
