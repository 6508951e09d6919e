"""Public readers of RO-Crates: the validator, and runcrate."""

import json
import os
import subprocess
import sys
import urllib.request
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from typing_extensions import override
from urllib3 import HTTPResponse

from tests.workflow.snake import ROOT

_CRATE = "https://w3id.org/ro/crate/1.1/context"
_TERMS = "https://w3id.org/ro/terms/workflow-run"
# In RO-Crate 1.1 these mean other addresses than in the newer vocabulary that `rocrate` brings.
_IN_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


def validate(crate: Path, place: Path, *options: str) -> tuple[int, Any]:
    """Check a crate against the profile's required properties; return exit code and report."""
    report = place / "report.json"
    command: list[str | Path] = [
        Path(sys.executable).with_name("rocrate-validator"), "--no-interactive", "validate",
        "--profile-identifier", "provenance-run-crate", "--requirement-severity", "REQUIRED",
        "--output-format", "json", "--output-file", report, *options, crate,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert report.is_file(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text())


def offline_contexts(cache: Path) -> Path:
    """Fill the validator's cache with what it would fetch; return the cache's path."""
    vocabulary = resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text()
    terms = ("environment", "resourceUsage", "sha256")
    contexts = {
        _CRATE: {**json.loads(vocabulary)["@context"], **_IN_1_1},
        f"{_TERMS}/context": {name: f"{_TERMS}#{name}" for name in terms},
    }
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Stored(contexts))
        for address in contexts:
            session.get(address)
    return cache


class _Stored(HTTPAdapter):
    """Answers with stored JSON-LD contexts."""

    def __init__(self, contexts: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self.contexts = contexts

    @override
    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        assert request.url
        body = json.dumps({"@context": self.contexts[request.url]}).encode()
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(BytesIO(body), headers=headers, status=200, preload_content=False)
        return self.build_response(request, raw)


def online() -> bool:
    """Return whether the published contexts can be fetched."""
    try:
        urllib.request.urlopen(_CRATE, timeout=10).close()
    except OSError:
        return False
    return True


def runcrate(*arguments: str) -> str:
    """Return what runcrate prints; `make crate-tools` sets up its environment."""
    tool = ROOT / ".venv-crate" / "bin" / "runcrate"
    if not tool.exists() and "CI" not in os.environ:
        pytest.skip("runcrate is not set up: run `make crate-tools`")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
