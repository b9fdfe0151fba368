"""Who a token says that one is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shsim.extras.admin_api.auth import Role, Viewer
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.problems import problem_responses


class Me(BaseModel):
    """Who asks, as the token has it."""

    subject: str
    roles: list[Role] = Field(description="What it gives; an admin is a viewer too.")
    expires: datetime


def me_router() -> APIRouter:
    """The route about whoever asks."""
    router = APIRouter(prefix=PREFIX, tags=["me"], responses=problem_responses(401, 403, 422))

    @router.get("/me", summary="Who the token says that you are")
    async def me(viewer: Viewer) -> Me:
        return Me(subject=viewer.subject, roles=sorted(viewer.roles), expires=viewer.expires)

    return router
