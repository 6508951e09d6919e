"""The documentation's site: built strictly, searchable, and complete without a network."""

import html
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflow.project import ROOT

pytestmark = pytest.mark.slow
BUILDER = ROOT / ".venv-docs/bin/mkdocs"
CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def need(found: object, what: str, variable: str) -> None:
    if not found and os.environ.get(f"CACTUS_REQUIRE_{variable}"):
        pytest.fail(f"{what}, and CACTUS_REQUIRE_{variable} is set")
    if not found:
        pytest.skip(what)


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BUILDER), "build", "--strict", "--site-dir", str(site)],
        cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": "315532800", "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need(BUILDER.exists(), "`make docs-tools` did not install the builder", "DOCS")
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_built_and_loads_nothing_from_the_network(site: Path):
    pages = [*site.rglob("*.html")]
    docs = [*(ROOT / "docs").rglob("*.md")]
    assert len(pages) >= len(docs) + 3
    loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>")
    for page in pages:
        assert loaded.findall(page.read_text(encoding="utf-8")) == [], page
    for style in site.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\s]+", style.read_text())
        assert urls == [], style


def test_every_page_is_in_the_navigation(site: Path):
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^ {6}- ([^:\n]+): \S+\.md$", text, re.M))
    page = (site / "index.html").read_text(encoding="utf-8")
    sidebar = page[page.index("md-nav--primary") :]
    links = re.findall(
        r'class="md-nav__link[^"]*">\s*<span class="md-ellipsis">\s*(.*?)\s*<', sidebar
    )
    assert len(wanted) > 40
    assert {html.unescape(one) for one in links} >= wanted


def test_files_outside_the_docs_are_on_the_site(site: Path):
    assert "Configuration reference" in (site / "project/config/index.html").read_text()
    assert (site / "project/CITATION.cff").read_bytes() == (ROOT / "CITATION.cff").read_bytes()
    guide = (site / "project/CONTRIBUTING.html").read_text()
    assert 'href="../architecture.html"' in guide
    assert 'href="project/CONTRIBUTING.html"' in (site / "index.html").read_text()
    assert not (site / "site_links.py").exists()


def test_the_same_docs_give_the_same_bytes(site: Path, tmp_path: Path):
    assert build(ROOT, tmp_path).returncode == 0
    files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert [
        one for one in files if (site / one).read_bytes() != (tmp_path / one).read_bytes()
    ] == []


def test_broken_links_and_anchors_fail_the_build(tmp_path: Path):
    need(BUILDER.exists(), "`make docs-tools` did not install the builder", "DOCS")
    for name in ("mkdocs.yml", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    links = "gone.md", "audit.md#gone-a", "../config/gone.yaml", "../config/README.md#gone-b"
    with (tmp_path / "docs/index.md").open("a") as page:
        page.write("\n" + " ".join(f"[a link]({link})" for link in links) + "\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == len(links), done.stderr
    for part in ("gone.md", "gone-a", "gone.yaml", "gone-b"):
        assert any(part in line for line in warnings), done.stderr


def test_search_finds_pages_without_a_server(site: Path, tmp_path: Path):
    need(CHROMIUM, "Chromium is not installed", "BROWSER")
    page = f"file://{site}/how-to/slurm.html?q=stale"
    done = subprocess.run(
        [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000",
         "--dump-dom", page],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r'class="md-search-result__meta"[^>]*>\s*(\d+) matching', done.stdout)
    assert found, done.stderr[-2000:]
    assert int(found[1]) > 5
    assert 'rerun-stale.html?h=stale"' in done.stdout
