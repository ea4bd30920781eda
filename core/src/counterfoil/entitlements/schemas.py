from typing import Literal

from pydantic import BaseModel, Field


class Contributions(BaseModel):
    connectors: list[str]


class PluginOut(BaseModel):
    """An installed plugin as one tenant sees it."""

    name: str
    title: str
    publisher: str
    version: str
    status: Literal["active", "quarantined"]
    reason: str | None = Field(description="Why it is in quarantine")
    enabled: bool = Field(description="The tenant turned it on, and its plan includes it")
    available: bool = Field(description="The tenant's plan includes it")
    plans_needed: list[str] = Field(description="Plans that include it; empty when every plan does")
    contributes: Contributions
