"""The paper's grid has the cells of its tables, and no others."""

from itertools import product
from pathlib import Path

from cactus.config.load import load_config
from cactus.config.sections.base import BUILT_IN
from cactus.config.sections.names import LEARNERS
from cactus.config.sections.source import Source, unmet_name
from cactus.paper.published import CELL_KEYS, read_published
from cactus.paper.vocabulary import method_name, published_source
from cactus.stages import evaluate_model, run_baselines

CONFIG = Path(__file__).parents[3] / "config"


def test_the_papers_names_of_sources_stand_for_the_default_ways():
    learners = load_config([CONFIG / "config.yaml"]).learners
    for dataset, learner in product(BUILT_IN, LEARNERS):
        way = learners.resolve(learner, dataset).way
        assert published_source(dataset, f"acai+{way}-way") == "acai"
        assert published_source(dataset, f"acai+{way + 1}-way") == f"acai+{way + 1}-way"
        assert published_source(dataset, "random") == f"random+{way}-way"
        assert published_source(dataset, "random+3-way") == "random+3-way"
    published = read_published(CONFIG / "paper_results.csv")
    cells = zip(published["dataset"], published["source"], strict=True)
    assert all(published_source(*cell) == cell[1] for cell in cells)


def test_names_of_variants_that_the_paper_ran_are_kept_for_their_values():
    sources = map(Source.parse, set(read_published(CONFIG / "paper_results.csv")["source"]))
    variants = {source.variant for source in sources if source.variant}
    assert variants == {"p-1", "margin-0"}
    assert all(unmet_name(name, {"tolerance": 0.1}) for name in variants)


def test_the_papers_grid_scores_exactly_the_published_rows():
    config = load_config([CONFIG / "config.yaml"])
    scored = set()
    for cell in evaluate_model.STAGE.all_wildcards(config):
        method = method_name(cell.source, cell.learner)
        for one in evaluate_model.STAGE.spec(config, cell).evaluation.settings:
            scored.add((cell.dataset, cell.source, method, cell.learner, one.way, one.shot))
    for run in run_baselines.STAGE.all_wildcards(config):
        spec = run_baselines.STAGE.spec(config, run)
        for method in config.baselines.resolve(run.dataset).methods:
            for one in spec.evaluation.settings:
                scored.add((run.dataset, run.embedding, method, "", one.way, one.shot))
    published = read_published(CONFIG / "paper_results.csv")
    assert scored == set(published[CELL_KEYS].itertuples(index=False, name=None))
