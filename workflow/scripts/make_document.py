"""Write a standalone LaTeX document that shows all tables of a run."""

from cactus.command import run_main, stage_job
from cactus.files import write_text
from cactus.paper.latex import document
from cactus.stages.make_document import MakeDocumentSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        write_text(job.output, document(MakeDocumentSpec.parse(job.spec).tables))


if __name__ == "__main__":
    run_main(main)
