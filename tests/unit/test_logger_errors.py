"""A line that cannot be printed does not end the logger, whose thread would end with it."""

import logging
from typing import Any

from snakemake_logger_plugin_cactus import LogHandler


def test_an_error_in_one_line_is_told_and_ends_nothing(monkeypatch):
    handler, said = object.__new__(LogHandler), list[str]()
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "a line", (), None)

    def broken(_: Any) -> None:
        raise KeyError("mean")

    monkeypatch.setattr(handler, "_emit", broken, raising=False)
    monkeypatch.setattr(handler, "_print", said.append, raising=False)
    handler.emit(record)
    assert said == ["a line could not be printed: KeyError: 'mean'"]
