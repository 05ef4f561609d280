"""A question and its answer, and a prompt to be filled in."""

import os

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)

answer = model.invoke(
    [
        SystemMessage("You are a helpful assistant."),
        HumanMessage("What is the capital of France?"),
    ]
)
print(answer.text)
print(answer.usage_metadata["total_tokens"], "tokens")

capital = ChatPromptTemplate.from_template("What is the capital of {country}?") | model
print(capital.invoke({"country": "Italy"}).text)
