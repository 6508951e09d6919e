"""Make the finished run that tests share: `python -m tests.workflow.finished_run FOLDER`."""

import sys
from pathlib import Path

from tests.workflow.project import Project

if __name__ == "__main__":
    Project.create(Path(sys.argv[1]).absolute()).snakemake("--cores", "2")
