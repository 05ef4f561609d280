"""An agent remembers: its messages go with every question, and can be looked at."""

import os

from strands import Agent
from strands.agent.conversation_manager import SlidingWindowConversationManager
from strands.models.openai import OpenAIModel

model = OpenAIModel(
    client_args={
        "base_url": os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
        "api_key": os.environ.get("OPENAI_API_KEY", "not-needed"),
    },
    model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
    params={"temperature": 0},
)

# The oldest messages are dropped when there are more than 20, or when the prompt gets too long.
window = SlidingWindowConversationManager(window_size=20)
agent = Agent(model=model, conversation_manager=window, callback_handler=None)

for words in ("My name is Alice.", "What is my name?"):
    print("you:  ", words)
    print("agent:", agent(words))

print(len(agent.messages), "messages, the last one:", agent.messages[-1]["content"])
