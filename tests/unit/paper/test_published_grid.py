"""The paper's grid has the cells of its tables, and no others."""

from pathlib import Path

from cactus.config.load import load_config
from cactus.paper.published import read_published
from cactus.paper.vocabulary import method_name

CONFIG = Path(__file__).parents[3] / "config"


def test_the_papers_grid_scores_exactly_the_published_rows():
    config = load_config([CONFIG / "config.yaml"])
    grid = config.expanded_grid
    rows = {
        (cell.dataset, cell.source, method_name(cell.source, cell.learner), cell.learner)
        for cell in grid.cells
    }
    for dataset, embedding, _ in grid.baseline_runs:
        methods = config.baselines.resolve(dataset).methods
        rows |= {(dataset, embedding, method, "") for method in methods}
    scored = {
        (*row, one.way, one.shot)
        for row in rows
        for one in config.evaluation.resolve(row[0]).settings
    }
    published = read_published(CONFIG / "paper_results.csv")
    keys = ["dataset", "source", "method", "learner", "way", "shot"]
    assert scored == set(published[keys].itertuples(index=False, name=None))
