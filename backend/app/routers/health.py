"""Health: for load balancers and people on call."""

import time

from fastapi import APIRouter

from backend.app.core.errors import Problem, unavailable
from backend.app.core.gateway import AnonymousGateway
from backend.app.core.responses import problems
from backend.app.schemas.health import DeepHealth, Health

router = APIRouter(tags=["health"])


@router.get("/health", operation_id="health", summary="Is the process up?")
async def health() -> Health:
    """Answers as long as this process serves requests; asks nobody else."""
    return Health(status="ok")


@router.get(
    "/health/deep",
    operation_id="deep_health",
    summary="Does the database answer?",
    responses=problems(503),
)
async def deep_health(gateway: AnonymousGateway) -> DeepHealth:
    """Asks the database through PostgREST, as a request would. 503 when it does not answer."""
    started = time.perf_counter()
    try:
        answer = (await gateway.rpc("health", {})).json()
    except Problem as problem:
        raise unavailable(f"The database does not answer: {problem.detail}") from problem
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise unavailable("The database answers, but not that it is well.")
    milliseconds = round((time.perf_counter() - started) * 1000, 2)
    return DeepHealth(
        status="ok",
        database_time=answer["database_time"],
        integrity=answer["integrity"],
        jobs=answer["jobs"],
        milliseconds=milliseconds,
    )
