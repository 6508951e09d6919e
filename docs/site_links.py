"""Hook of the documentation's site: files outside `docs/` that pages link to become part of it.

A page of `docs/` links to, say, `../CONTRIBUTING.md`, as it must on GitHub. On the site, that file
is `project/CONTRIBUTING.md`. So is every file outside `docs/`: Markdown as a page, others as they
are.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
# Pages that the navigation shows even where no page links to them.
_ALWAYS = ("config/README.md", "CONTRIBUTING.md", "CHANGELOG.md")
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[#)])")


def on_files(files: Files, config: Any) -> Files:
    """Add the files outside `docs/` that pages link to, and those that these link to."""
    waiting = [*_ALWAYS]
    for page in files.documentation_pages():
        waiting += _targets(f"docs/{page.src_uri}", page.content_string)
    added: set[str] = set()
    for path in waiting:
        if path.startswith("docs/") or path in added or not (ROOT / path).is_file():
            continue  # MkDocs reports links to nothing
        added.add(path)
        files.append(File.generated(config, _on_site(path), abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            waiting += _targets(path, (ROOT / path).read_text(encoding="utf-8"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between files of the site."""
    here = page.file.src_uri
    path = here.removeprefix("project/") if here.startswith("project/") else f"docs/{here}"

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        return posixpath.relpath(_on_site(target), posixpath.dirname(here) or ".")

    if "\n## " not in markdown:  # the space of a table of contents is for wide tables
        page.meta["hide"] = ["toc"]
    return _LINK.sub(link, markdown)


def _on_site(path: str) -> str:
    """Return where a file of the repository is on the site."""
    return path.removeprefix("docs/") if path.startswith("docs/") else f"project/{path}"


def _targets(path: str, markdown: str) -> Iterator[str]:
    """Yield the files of the repository to which a page links."""
    for target in _LINK.findall(markdown):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
