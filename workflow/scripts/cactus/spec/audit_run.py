"""What the job that audits a run reads."""

from cactus.spec.base import Spec


class AuditRunSpec(Spec):
    """The run to audit."""

    run: str
