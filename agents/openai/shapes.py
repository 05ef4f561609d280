"""What the model is asked to fill in."""

from __future__ import annotations

from pydantic import BaseModel, Field


class GetWeather(BaseModel):
    """Get the current weather in a city."""

    city: str = Field(description="Name of the city.")


class Person(BaseModel):
    name: str
    age: int
