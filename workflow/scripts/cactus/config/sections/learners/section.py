"""Settings of all meta-learners: the paper's two and those that users add."""

from typing import Any, Final, Self

from pydantic import model_validator

from cactus.config.sections.base import MAX_NAME, DatasetName, Settings, UnfitError, setting
from cactus.config.sections.learners.custom import CustomLearner
from cactus.config.sections.learners.maml import MamlSettings, ScratchSettings
from cactus.config.sections.learners.protonets import ProtonetsSettings
from cactus.config.sections.names import LEARNERS, METHODS
from cactus.config.sections.source import NAME_PATTERN, Source
from cactus.config.sections.title import refuse_equal_titles

AnyLearner = MamlSettings | ProtonetsSettings | CustomLearner

BUILT_IN: Final = tuple(LEARNERS)


class LearnerSettings(Settings):
    """All meta-learners."""

    maml: MamlSettings = MamlSettings()
    protonets: ProtonetsSettings = ProtonetsSettings()
    scratch: ScratchSettings = ScratchSettings()
    custom: dict[str, CustomLearner] = setting(
        {}, "Custom learners, by name; see docs/adding-a-learner.md."
    )

    @model_validator(mode="after")
    def _custom_names_are_free(self) -> Self:
        for name in self.custom:
            fits = len(name) <= MAX_NAME and NAME_PATTERN.fullmatch(name)
            if not fits or name in type(self).model_fields:
                raise UnfitError(
                    "custom",
                    f"'{name[:100]}' cannot name a custom learner; use at most {MAX_NAME} "
                    "lowercase letters, digits and underscores, starting with a letter, and a name "
                    f"other than {', '.join(type(self).model_fields)}",
                    name,
                )
        titles = {name: one.title for name, one in self.custom.items()}
        # Figures have the methods' names beside those of learners.
        refuse_equal_titles("learner", titles, [*LEARNERS.values(), *METHODS.values()])
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the grid can use."""
        return (*BUILT_IN, *self.custom)

    def resolve(self, name: str, dataset: DatasetName, source: str | None = None) -> AnyLearner:
        """Return the settings of a meta-learner for one data set and, if given, task source."""
        settings = self._own(name).resolve(dataset).as_read()
        if source is None:
            return settings
        parsed = Source.parse(source)
        return settings.for_source(oracle=parsed.kind == "labels", way=parsed.way)

    def scored(self, name: str, dataset: DatasetName, source: str) -> AnyLearner:
        """Return the settings that the evaluation of a cell reads; others have their defaults."""
        return self.resolve(name, dataset, source).for_scoring(self.keys_scored(name, source))

    def keys_scored(self, name: str, source: str) -> frozenset[str]:
        """Return the keys of a meta-learner that the evaluation of a cell reads."""
        if source == "scratch":
            return ScratchSettings.network
        return self._own(name).scored

    def _own(self, name: str) -> AnyLearner:
        own: AnyLearner = self.custom[name] if name in self.custom else getattr(self, name)
        return own

    def modules(self, name: str) -> tuple[str, ...]:
        """Return the modules of a meta-learner that its jobs import by name."""
        if name in self.custom:
            return self.custom[name].module, "cactus.meta.custom"
        return (f"cactus.meta.{name}.learner",)

    def files(self, name: str, dataset: DatasetName) -> list[str]:
        """Return the data files that a custom learner reads."""
        return self.custom[name].resolve(dataset).files if name in self.custom else []


def training_defaults(names: Any) -> dict[str, Any]:
    """Return the defaults of custom learners; for single data sets, they are those of ProtoNets."""
    keys = CustomLearner(module="").model_dump(mode="json", exclude={"module"})
    shapes = ProtonetsSettings().per_dataset
    return {str(name): {**keys, "per_dataset": shapes} for name in names}
