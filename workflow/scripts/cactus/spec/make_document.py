"""What the job that shows all tables in one document reads."""

from cactus.spec.base import Spec


class MakeDocumentSpec(Spec):
    """Names of the tables, in the order of the document."""

    tables: list[str]
