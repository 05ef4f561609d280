"""Function calling: the kernel runs what the model calls, and gives it the results."""

import asyncio
import os
from typing import Annotated

from openai import AsyncOpenAI
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import kernel_function
from simpleeval import simple_eval


class Calculator:
    @kernel_function(description="Evaluate an arithmetic expression.")
    def calculate(
        self, expression: Annotated[str, "The expression, such as 2 + 3 * 4."]
    ) -> Annotated[str, "The value."]:
        return str(simple_eval(expression))  # arithmetic only: what a model writes is never run


kernel = Kernel()
kernel.add_plugin(Calculator(), "calculator")
kernel.add_service(
    OpenAIChatCompletion(
        service_id="chat",
        ai_model_id=os.environ.get("MLX_ROUTER_MODEL", "smollm2-135m-instruct-tools"),
        async_client=AsyncOpenAI(
            base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:8800/v1"),
            api_key=os.environ.get("OPENAI_API_KEY", "not-needed"),
        ),
    )
)


async def main() -> None:
    settings = kernel.get_prompt_execution_settings_from_service_id("chat")
    settings.temperature = 0
    settings.function_choice_behavior = FunctionChoiceBehavior.Auto()

    history = ChatHistory()
    history.add_user_message("What is 12 * 34?")
    chat = kernel.get_service("chat")
    answer = await chat.get_chat_message_content(history, settings, kernel=kernel)

    for message in history:
        print(message.role.value, message.items[0])
    print(answer)


asyncio.run(main())
