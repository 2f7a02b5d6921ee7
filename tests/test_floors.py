"""The floors of the package: each imports only floors below it, and no import makes a circle (ARCHITECTURE.md)."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "python" / "stillframe"
FLOORS = {"errors": 0, "_engine": 0, "model": 1, "symbols": 2, "analysis": 2, "": 3, "cli": 4, "repl": 5, "__main__": 6}


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def typing_only(tree: ast.Module) -> set[ast.stmt]:
    """Statements under `if TYPE_CHECKING:`; they import nothing when the program runs."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    return {statement for block in blocks for statement in block.body}


def imports(path: Path, known: dict[str, Path], *, for_types: bool) -> set[str]:
    """Modules of the package that the file imports, as paths below the package."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set() if for_types else typing_only(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            base, names = "", [alias.name for alias in node.names]
        else:
            continue
        for name in [*names, base]:
            inside = name.removeprefix("stillframe").lstrip(".") if name.split(".")[0] == "stillframe" else None
            if inside is not None and (inside in known or inside == "_engine"):
                found.add(inside)
                if name != base:
                    continue
                if any(f"{inside}.{alias.name}".lstrip(".") in known for alias in getattr(node, "names", [])):
                    found.discard(inside)
    return found


def floor(module: str) -> int:
    return FLOORS[module.split(".", maxsplit=1)[0]]


def test_each_floor_imports_only_floors_below_it() -> None:
    known = modules()
    upwards = [
        f"{module or 'stillframe'} imports {imported or 'stillframe'}"
        for module, path in known.items()
        for imported in imports(path, known, for_types=True)
        if floor(imported) > floor(module)
        or (floor(imported) == floor(module) and imported.split(".")[0] != module.split(".")[0])
    ]
    assert upwards == []


def test_no_import_makes_a_circle() -> None:
    known = modules()
    graph = {module: imports(path, known, for_types=False) - {module} for module, path in known.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(known) <= set(order)


def test_source_files_stay_small() -> None:
    repository = PACKAGE.parent.parent
    sources = [
        *repository.glob("python/**/*.py"),
        *repository.glob("engine/*/src/**/*.rs"),
        *repository.glob("tests/**/*.py"),
    ]
    long = {
        str(path.relative_to(repository)): lines
        for path in sources
        if (lines := len(path.read_text().splitlines())) > 600
    }
    assert len(sources) > 40
    assert long == {}
