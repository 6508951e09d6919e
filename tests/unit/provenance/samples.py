"""A valid example of each kind of file that is read back from a run."""

from typing import Any

SHA = "0" * 64
NOW = "2026-01-01T00:00:00+00:00"
PLAN = {
    "stage": "make_synthetic_data", "cell": "mnist", "spec": {"seed": 0, "settings": {"a": [1]}},
    "code": {"a.py": SHA}, "libraries": {"numpy": "2.0"}, "files": {"config/x.yaml: a": SHA},
    "inputs": {"raw/mnist/synthetic.json": "pending"}, "raw": {"images/": SHA},
}  # fmt: skip
RECORD = {
    "schema": "cactus-record/1",
    "entities": {"raw/mnist/synthetic.json": {"sha256": SHA, "bytes": 3}},
    "activity": {
        "plan": PLAN, "sources": {"a.py": SHA}, "seed": 0, "threads": 1,
        "determinism": {"OMP_NUM_THREADS": "1", "tf32": False}, "started": NOW, "ended": NOW,
        "seconds": 1.5, "peak_memory_bytes": 9, "peak_gpu_memory_bytes": None, "resumed_from": [3],
    },
    "agent": {
        "host": "n1", "machine": "x86_64", "python": "3.11.7", "libraries": {"numpy": "2.0"},
        "packages": SHA, "device": {"device": "cpu", "driver": None},
        "git": {"commit": "a", "dirty": False, "diff": None, "untracked": []}, "slurm": None,
    },
    "checksum": SHA,
}  # fmt: skip
NOTE = {
    "host": "n1", "boot": "b", "pid": 9, "process": "1", "state": "failed", "error": "It failed.",
    "started": NOW, "ended": NOW, "attempt": 2, "slurm": "17",
}  # fmt: skip
ROW = {
    "run": "a", "dataset": "mnist", "source": "acai", "method": "knn", "learner": "", "way": 5,
    "shot": 1, "seed": "all",
}  # fmt: skip
SAMPLES: dict[str, Any] = {
    "record": RECORD,
    "plan": {"plan": PLAN, "planned": "", "reasons": ["a"]},
    "config": {"configfiles": ["a.yaml"], "overrides": {}, "config": {"run": "a"}, "folder": "/"},
    "note": NOTE,
    "lease": {**NOTE, "token": "t", "beat": 3, "step": 30, "steps": 40, "seconds_left": 65.0},
    "cache": {
        "form": 3,
        "entries": {
            "sha256:/a": {"path": "/a", "state": [1, 2, 3, 4], "value": SHA},
            "source:/a.py": {"path": "/a.py", "state": [1, 2, 3, 4], "value": [SHA, ["numpy"]]},
        },
    },
    "waivers": {
        "stage": "meta_train", "cell": "a", "kind": "code", "name": "a.py", "old": SHA, "new": SHA,
        "who": "me", "when": NOW, "why": "a reason",
    },
    "drivers": {**NOTE, "job_name": "b"},
    "map": {
        "cells": [
            {
                "row": "A", "column": "5-way 1-shot, ours", "printed": "1.00 ± 0.10", "mark": "",
                "columns": ["mean", "ci95"], "scale": 100, "decimals": 2, "results_row": ROW,
            }
        ]
    },
    "json": {"a": [1, 2.5, "b", None, {"c": True}]},
}  # fmt: skip
