"""A local MCP server with two tools; mcp_agent.py starts it and speaks with it over stdio."""

from typing import Annotated

from mcp.server import MCPServer
from pydantic import Field
from simpleeval import simple_eval

server = MCPServer("desk")


@server.tool()
def calculator(expression: Annotated[str, Field(description="Such as 2 + 3 * 4.")]) -> str:
    """Evaluate an arithmetic expression."""
    return str(simple_eval(expression))  # arithmetic only: what a model writes is never run


@server.tool()
def get_population(city: Annotated[str, Field(description="Name of the city.")]) -> str:
    """Get the number of people in a city."""
    return {"Paris": "2.1 million", "Rome": "2.7 million"}.get(city, "unknown")


if __name__ == "__main__":
    server.run()
