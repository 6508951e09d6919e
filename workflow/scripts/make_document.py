"""Write a standalone LaTeX document that shows all tables of a run."""

from cactus.command import run_main, stage_job
from cactus.paper.document import write_document
from cactus.stages.make_document import MakeDocumentSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        write_document(MakeDocumentSpec.parse(job.spec).tables, job.output)


if __name__ == "__main__":
    run_main(main)
