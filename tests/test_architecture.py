"""The shape of the house: who imports whom, how long a file may be, and what it may not be called."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXPLORER = ROOT / "explorer"
APP = EXPLORER / "app"
PAGES = APP / "pages"
DASHBOARD = ROOT / "dashboard.py"

MAX_FILE_LINES = 300
MAX_PAGE_LINES = 120
MAX_DASHBOARD_LINES = 39

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def too_long(paths: list[Path], limit: int) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {count} lines, at most {limit}"
        for path in paths
        if (count := line_count(path)) > limit
    ]


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def public_names() -> list[str]:
    return list(importlib.import_module("explorer").__all__)


def has_own_docstring(name: str, value: object) -> bool:
    """A docstring somebody wrote: neither inherited nor the signature that a dataclass fills in."""
    if not (inspect.isclass(value) or inspect.ismodule(value) or callable(value)):
        return True  # a plain value, such as a registry, has no docstring of its own
    doc = (value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
    return bool(doc.strip()) and not doc.startswith(f"{name}(")


def test_imports_go_downward_only() -> None:
    lint = "import importlinter.cli as c; raise SystemExit(c.lint_imports(no_cache=True, no_logo=True))"
    result = run_python(lint)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_module_is_part_of_a_package() -> None:
    """Without `__init__.py` a folder is invisible to import-linter and to mypy."""
    folders = {path.parent for path in python_files(EXPLORER)} - {PAGES}
    missing = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]
    assert sorted(missing) == []


def test_notebook_api_loads_without_streamlit_and_app() -> None:
    result = run_python(
        "import sys, explorer\n"
        "found = [m for m in sys.modules if m.split('.')[0] == 'streamlit' or m.startswith('explorer.app')]\n"
        "raise SystemExit(f'import explorer loads {sorted(found)[:5]}' if found else 0)"
    )
    assert result.returncode == 0, result.stderr


def test_streamlit_is_imported_only_under_the_app() -> None:
    strangers = [
        str(path.relative_to(ROOT))
        for path in python_files(EXPLORER)
        if not path.is_relative_to(APP)
        and any(module.split(".")[0] == "streamlit" for module in imported_modules(path))
    ]
    assert strangers == []


def test_files_stay_short() -> None:
    assert too_long([*python_files(EXPLORER), DASHBOARD], MAX_FILE_LINES) == []


def test_pages_stay_short() -> None:
    pages = python_files(PAGES)
    assert pages, "explorer/app/pages holds no page"
    assert too_long(pages, MAX_PAGE_LINES) == []


def test_dashboard_stays_short() -> None:
    assert too_long([DASHBOARD], MAX_DASHBOARD_LINES) == []


@pytest.mark.parametrize("folder", ["explorer", "tests", "benchmarks", "docs"])
def test_names_say_what_is_inside(folder: str) -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.stem.lower().strip("_") in NAMES_THAT_SAY_NOTHING
    ]
    assert offenders == []


def test_public_names_are_sorted_and_exist() -> None:
    explorer = importlib.import_module("explorer")
    names = public_names()
    assert names == sorted(set(names))
    assert [name for name in names if not hasattr(explorer, name)] == []


def test_public_names_have_a_docstring() -> None:
    explorer = importlib.import_module("explorer")
    assert [name for name in public_names() if not has_own_docstring(name, getattr(explorer, name))] == []


def test_public_names_are_mentioned_in_the_tests() -> None:
    files = [path for path in python_files(ROOT / "tests") if path != Path(__file__).resolve()]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    assert [name for name in public_names() if name not in words] == []
