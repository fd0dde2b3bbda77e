"""House rules: sizes of files, what __init__ files hold, no unfinished text, a true ARCHITECTURE page."""

from __future__ import annotations

import ast
import re
import tomllib

COMMAND_LINES = 40
FILE_LINES = 400
UNFINISHED = re.compile(
    r"\bTODO\b|\bFIXME\b|\bXXX\b|_summary_|_description_|NotImplementedError|not implemented yet"
    r"|[Ss]hould(?:n't| not) have happened|\b[Pp]laceholder\b|\b[Ll]orem ipsum\b|\b[Ff]or now\b"
)


def test_commands_are_short(root):
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in (root / "cli" / "commands").glob("*.py")
    }
    assert len(lengths) > 8
    assert {name: lines for name, lines in lengths.items() if lines > COMMAND_LINES} == {}


def test_no_file_is_long(root, modules):
    paths = [module.path for module in modules] + sorted((root / "tests").rglob("*.py"))
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {str(path): lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_init_files_hold_names_only(root, modules):
    inits = [module.path for module in modules if module.path.name == "__init__.py"]
    for path in [*inits, root / "attrition" / "__init__.py"]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            assert docstring or isinstance(node, ast.Import | ast.ImportFrom | ast.Assign), path


def test_every_folder_is_a_listed_package(root, modules):
    listed = set(tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {module.path.parent for module in modules}
    found = {".".join(("attrition", *folder.relative_to(root).parts)) for folder in folders}
    assert found | {"attrition"} == listed
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_nothing_is_unfinished(root, modules):
    found = [
        f"{module.where}:{number}: {line.strip()}"
        for module in modules
        for number, line in enumerate(module.path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found


def test_the_lint_can_fail():
    assert UNFINISHED.search("x = 1  # TO" + "DO")
    assert not UNFINISHED.search("the next stage")


def test_public_functions_are_documented_and_closed(modules):
    """A docstring on every public function and class; no **kwargs in a public signature."""
    bare, open_ended = [], []
    for module in modules:
        scopes = [module.tree, *(node for node in module.tree.body if isinstance(node, ast.ClassDef))]
        for scope in scopes:
            for node in scope.body:
                if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                    continue
                if isinstance(scope, ast.ClassDef) and scope.name.startswith("_"):
                    continue
                if ast.get_docstring(node) is None:
                    bare.append(f"{module.where}:{node.lineno} {node.name}")
                if isinstance(node, ast.FunctionDef) and node.args.kwarg is not None:
                    open_ended.append(f"{module.where}:{node.lineno} {node.name}")
    assert not bare
    assert not open_ended


def test_the_architecture_page_is_true(root, modules):
    page = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+)`", page))
    paths = {name for name in named if "/" in name or name.endswith((".py", ".md", ".toml", ".txt"))}
    missing = sorted(name for name in paths if not (root / name).exists())
    assert not missing, "named in ARCHITECTURE.md and absent"
    folders = {module.path.parent.relative_to(root).as_posix() + "/" for module in modules}
    assert sorted(folders - named) == [], "packages that ARCHITECTURE.md does not name"
