"""The proofs of the books."""

from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.schemas import integrity as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/integrity",
        table="integrity_checks",
        noun="integrity check",
        plural="integrity checks",
        row=schemas.IntegrityCheck,
        query=schemas.IntegrityQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/integrity",
        rpc="check_integrity",
        arguments={"p_org_id": "org_id"},
        request=schemas.IntegrityRequest,
        response=schemas.IntegrityRun,
        summary="Prove the books",
        description="Ledger against levels, pieces and lots against quantities. Reads the whole ledger: of a "
        "large one the nightly results are the quicker answer. Permission: audit.read.",
        errors=(400, 404),
        status=201,
    ),
)
