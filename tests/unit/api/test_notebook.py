"""The notebook of the docs runs, with pictures, and the page's code does what it says."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.slow
def test_the_notebook_runs_and_shows_pictures():
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    resources = {"metadata": {"path": str(DOCS)}}
    NotebookClient(notebook, timeout=900, startup_timeout=300, resources=resources).execute()
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    pictures = [one for one in outputs if "image/png" in one.get("data", {})]
    assert len(pictures) == 3
    printed = "".join(one["text"] for one in outputs if one.get("name") == "stdout")
    scores = dict(re.findall(r"^(\w[\w, ]*?) +(\d+\.\d+)% ± ", printed, re.M))
    assert set(scores) == {"ProtoNets", "MAML", "ProtoNets, oracle", "pixels"}
    assert all(40 < float(score) <= 100 for score in scores.values())  # a guess gives 33


def test_the_notebook_is_kept_without_outputs():
    content = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    nbformat.validate(content)
    assert not [cell for cell in content["cells"] if cell.get("outputs")]


def test_every_public_name_is_on_the_page():
    import cactus.api

    page = (DOCS / "notebook.md").read_text(encoding="utf-8")
    own = set(cactus.api.__all__) - {"Dataset", "EpisodeBatch", "Scores"}  # what is returned
    assert all(name in page for name in own)
    code = re.search(r"```python\n(.*?)```", page, re.S)
    assert code
    compile(code[1], "notebook.md", "exec")
    assert len(code[1].strip().splitlines()) <= 10
