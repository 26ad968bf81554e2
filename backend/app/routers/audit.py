"""The audit log, for those who hold audit.read."""

from backend.app.core.resource import Resource, add_resource, room_router
from backend.app.schemas import audit as schemas

router = room_router("/v1", "audit")

add_resource(
    router,
    Resource(
        path="/audit",
        table="audit_log",
        noun="audit entry",
        plural="audit entries",
        row=schemas.AuditEntry,
        query=schemas.AuditQuery,
        one_by_one=False,
    ),
)
