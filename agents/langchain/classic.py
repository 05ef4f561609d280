"""LLMChain and ConversationChain, as older programs have them: deprecated, and still running."""

import os

from langchain_classic.chains import ConversationChain, LLMChain
from langchain_classic.memory import ConversationBufferMemory
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
    temperature=0,
)

capital = LLMChain(
    llm=model, prompt=PromptTemplate.from_template("What is the capital of {country}?")
)
print(capital.invoke({"country": "France"})["text"])

conversation = ConversationChain(
    llm=model,
    memory=ConversationBufferMemory(return_messages=True),
    # Its own prompt puts the whole conversation into one message, which small models misread.
    prompt=ChatPromptTemplate.from_messages(
        [MessagesPlaceholder("history"), ("human", "{input}")],
    ),
)
print(conversation.predict(input="My name is Alice."))
print(conversation.predict(input="What is my name?"))
