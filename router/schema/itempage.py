"""The query of GET /v1/responses/{id}/input_items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.fielderrors import from_pydantic


class ItemPage(BaseModel):
    """``limit`` items ``after`` the one of that id, the newest first unless ``order`` is asc."""

    model_config = ConfigDict(frozen=True)

    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> ItemPage:
        try:
            return cls.model_validate(dict(query))
        except ValidationError as error:
            raise from_pydantic(error) from None
