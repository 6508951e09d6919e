"""What makes up a paper, and how to read it."""

import subprocess
from pathlib import Path

FILES = ("paper.pdf", "paper/paper.tex", "paper/numbers.tex", "paper/numbers.tex.map.json")


def text_of(pdf: Path) -> str:
    """Return the text of a PDF with single spaces."""
    command = ["pdftotext", "-layout", str(pdf), "-"]
    return " ".join(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    )
