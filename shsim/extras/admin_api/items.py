"""Items with their exposure, and setting the k of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shsim.errors import DataError
from shsim.extras.admin_api.auth import Admin, Principal, Viewer
from shsim.extras.admin_api.changes import WAIT
from shsim.extras.admin_api.fields import NUMERIC, ExamCode, Number
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.problems import Problem, problem_responses
from shsim.extras.admin_api.services import services_of
from shsim.storage.base import SaveOutcome
from shsim.workflow.provenance import on_behalf_of
from shsim.workflow.single_item import require_probability, set_exposure

#: Attempts of this many days count as recent.
RECENT_DAYS = 7

#: Within a bigint. Bounds in an OpenAPI document are floats, which 2**63 - 1 is not.
_LARGEST = 9 * 10**18
_Identifier = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST), NUMERIC]


class Exam(BaseModel):
    """An exam that publishes items."""

    exam_code: str
    items: int = Field(description="Live, published ones.")


class Item(BaseModel):
    """A live, published item."""

    question_id: int
    version: int
    topic_id: int | None
    sh_p: float | None = Field(
        description="The k in force: 1 where none is stored; null where it is no number."
    )
    recent_attempts: int = Field(description=f"In the last {RECENT_DAYS} days, in any exam.")


class NewExposure(BaseModel):
    """The k that an item is to have."""

    model_config = ConfigDict(extra="forbid")

    question_id: _Identifier
    version: _Identifier
    # The range is looked at by hand: outside it the answer is 400, as it always was.
    sh_p: Annotated[Number, Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class ExposureSet(BaseModel):
    """What was written."""

    ok: bool = True
    question_id: int
    version: int
    sh_p: float
    changed: bool = Field(description="False: it stood so already.")
    run: int | None = Field(description="Its number in the ledger; null: not recorded.")
    warning: str | None = Field(description="What the database said of its COMMIT, which stands.")


def acting(principal: Principal) -> Any:
    """Put runs on record as this principal's, who is no user of the operating system."""
    return on_behalf_of(f"{principal.subject} (api)")


def items_router() -> APIRouter:
    """The routes about single items."""
    router = APIRouter(
        prefix=PREFIX, tags=["items"], responses=problem_responses(401, 403, 422, 503)
    )

    @router.get("/exams", summary="Exams and how many items each publishes")
    def exams(request: Request, _viewer: Viewer) -> list[Exam]:
        with services_of(request).stores.reading() as store:
            return [Exam(exam_code=code, items=count) for code, count in store.exams().items()]

    @router.get(
        "/items",
        summary="Items with their exposure, the most attempted first",
        responses={
            200: {
                "headers": {
                    "X-Total-Count": {
                        "description": "Items on all pages.",
                        "schema": {"type": "integer"},
                    },
                    "Link": {
                        "description": 'The next page, `rel="next"`, while there is one.',
                        "schema": {"type": "string"},
                    },
                }
            },
            **problem_responses(404),
        },
    )
    def items(
        request: Request,
        response: Response,
        _viewer: Viewer,
        exam: Annotated[ExamCode | None, Query(description="Of one exam only.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> list[Item]:
        """Live, published items; those attempted equally often by question and version."""
        since = datetime.now(UTC) - timedelta(days=RECENT_DAYS)
        with services_of(request).stores.reading() as store:
            page = store.exposure_items(exam, since, limit=limit, offset=offset)
        response.headers["X-Total-Count"] = str(page.total)
        if offset + len(page.items) < page.total and page.items:
            following = request.url.include_query_params(offset=offset + limit)
            # Behind a proxy neither scheme nor host are ours to name.
            response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        return [Item.model_validate(each, from_attributes=True) for each in page.items]

    @router.post(
        "/set", summary="Set the k of one item", responses=problem_responses(400, 404, 409, 413)
    )
    async def set_one(request: Request, admin: Admin, wanted: NewExposure) -> ExposureSet:
        """One transaction, on record as the command `set`: it can be rolled back.

        409 while a run has an exam that publishes the item, for longer than two seconds.
        """
        try:
            require_probability(wanted.sh_p)
        except DataError as error:  # 400, as it always was, and not 422
            raise Problem(400, str(error)) from error
        k = wanted.sh_p + 0.0  # -0 is in the range, and 0
        services = services_of(request)

        def change() -> SaveOutcome:
            item = wanted.question_id, wanted.version
            with services.stores.writing() as store, acting(admin):
                return set_exposure(store, *item, k, wait=WAIT)

        saved = await services.changes.make(
            f"set of {wanted.question_id}/{wanted.version} for {admin.subject}", change
        )
        services.metrics.runs.labels("set", "saved").inc()
        return ExposureSet(
            question_id=wanted.question_id,
            version=wanted.version,
            sh_p=k,
            changed=saved.changed > 0,
            run=saved.run,
            warning=saved.warning,
        )

    return router
