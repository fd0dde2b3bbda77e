"""data <- models <- estimation <- reports <- cli, and imports at the top of files."""

from __future__ import annotations

import ast

LAYERS = ("data", "models", "estimation", "reports", "cli")
MAY_POSTPONE = ("cli/", "estimation/extras.py")


def test_no_import_goes_up(modules):
    upward = []
    for module in modules:
        above = LAYERS[LAYERS.index(module.layer) + 1 :]
        upward += [
            f"{module.where}:{line} imports {'.'.join(parts)}"
            for line, parts in module.imported()
            if parts[0] == "attrition" and len(parts) > 1 and parts[1] in above
        ]
    assert not upward


def test_packages_import_one_another_relatively(modules):
    """An absolute import of the own package would work only where it is installed under that name."""
    absolute = []
    for module in modules:
        for node in ast.walk(module.tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] in ("attrition", *LAYERS) for name in names):
                absolute.append(f"{module.where}:{node.lineno}")
    assert not absolute


def test_no_import_from_the_facade(modules):
    """The root package names everything: a module that imports it depends on every other."""
    found = [
        f"{module.where}:{line}"
        for module in modules
        for line, parts in module.imported()
        if parts[0] == "attrition"
        and (len(parts) == 1 or parts[1] not in LAYERS)
        # The version is the one thing that stands in the root.
        and parts[1:] != ("__version__",)
    ]
    assert not found


def test_imports_stand_at_the_top(modules):
    """A postponed import hides a cycle; only the shell and the optional extras may have one."""
    postponed = []
    for module in modules:
        if module.where.startswith(MAY_POSTPONE):
            continue
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                postponed += [
                    f"{module.where}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert not postponed


def test_no_module_is_in_a_cycle(modules):
    """Followed through imports that run when a module is loaded."""
    by_name = {
        (*module.where.removesuffix(".py").removesuffix("/__init__").split("/"),): module
        for module in modules
    }
    graph = {}
    for name, module in by_name.items():
        typing_only = {
            node.lineno
            for branch in ast.walk(module.tree)
            if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
            for node in ast.walk(branch)
            if isinstance(node, ast.ImportFrom)
        }
        top = {node.lineno for node in module.tree.body}
        targets = set()
        for line, parts in module.imported():
            if line in typing_only or line not in top or parts[0] != "attrition":
                continue
            targets |= {parts[1:]} & set(by_name) or {parts[1:-1]} & set(by_name)
        graph[name] = targets - {name}
    remaining = dict(graph)
    while True:
        loose = [name for name, targets in remaining.items() if not targets & set(remaining)]
        if not loose:
            break
        for name in loose:
            del remaining[name]
    assert not remaining, sorted("/".join(name) for name in remaining)
