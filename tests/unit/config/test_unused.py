"""A study sets nothing for what its grid does not have; advice says where a task source belongs."""

import pytest

from cactus.config.load import load_config
from cactus.errors import ConfigError

STUDY = "grid:\n  datasets: [mnist, omniglot]\n"
CONTROLS = "  controls: {mnist: [labels], celeba: [labels]}\n"
VARIANT = "partitions: {variants: {k-50: {clusters: 50}}}\n"
OF_PLANES = "partitions: {variants: {wide: {hyperplanes: {per_embedding: {bigan: {margin: 3}}}}}}"
OF_NONE = "partitions: {variants: {few: {pool_attributes: 2}}}"
USED = "  controls: {omniglot: [acai+k-50]}\n"
LEFT_OUT = STUDY + USED + "  exclude: [{source: acai+k-50}]\n" + VARIANT
NO_LEARNER = STUDY + USED + "  learners: [protonets]\n  ablation_learners: [maml]\n" + VARIANT


def load(folder, *texts, **overrides):
    files = [folder / f"{number}.yaml" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return load_config(files, overrides)


@pytest.mark.parametrize(
    ("text", "key", "got", "fix"),
    [
        (STUDY + CONTROLS, "0.yaml:3: grid.controls.celeba", '["labels"]', "add celeba to"),
        ("run: a\n" + VARIANT, "partitions.variants.k-50", "k-50", "e.g. `acai+k-50`"),
        (OF_PLANES, "partitions.variants.wide", "wide", "e.g. `hyperplanes-bigan+wide`"),
        (OF_NONE, "partitions.variants.few", "few", "changes the partitions of no task source"),
        (LEFT_OUT, "partitions.variants.k-50", "k-50", "no cell left: change grid.include"),
        (NO_LEARNER, "partitions.variants.k-50", "k-50", "or grid.ablation_learners"),
    ],
)
def test_what_no_cell_uses_is_refused(tmp_path, text, key, got, fix):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert error.value.where.replace("'", "").endswith(key)
    assert (error.value.got, fix in error.value.fix) == (got, True)


@pytest.mark.parametrize(
    "texts",
    [
        [STUDY + USED + VARIANT],
        [VARIANT + STUDY + USED, "grid: {exclude: [{source: acai+k-50}]}"],
        [STUDY + USED + VARIANT, "grid: {learners: [protonets], ablation_learners: [maml]}"],
        [STUDY + USED + "  exclude: [{source: acai+k-50, learner: maml}]\n" + VARIANT],
        [VARIANT + STUDY + USED, "grid: {controls: {omniglot: []}}"],
        ["grid: {controls: {celeba: [labels]}}", STUDY],
        [STUDY + "  controls: {celeba: []}\n"],
    ],
)
def test_what_is_used_or_left_out_by_a_later_file_is_not(tmp_path, texts):
    assert load(tmp_path, *texts).expanded_grid.datasets == ("mnist", "omniglot")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("acai+k-50", "grid.controls.<data set>"),
        ("acai+5-way", "grid.controls.<data set>"),
        ("labels", "grid.controls.<data set>"),
        ("hyperplanes-acai", "grid.controls.<data set>"),
        ("scratch", "grid.scratch"),
    ],
)
def test_a_task_source_among_the_embeddings_is_told_its_place(tmp_path, name, place):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, f"grid: {{embeddings: [acai, {name}]}}")
    assert error.value.where.endswith("grid.embeddings.1")
    assert place in error.value.fix
