"""Axes as trees: from a file with name, label, parent, or from the names the data hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .axes import Axis, Node
from .errors import Problem, did_you_mean
from .faults import Faults
from .names import ROOT
from .spelling import oddity, twins
from .table import Table


def axis_from_table(name: str, table: Table, faults: Faults) -> Axis:
    """The axis a file describes.

    Parameters
    ----------
    name : str
        offense, jurisdiction.
    table : Table
        Columns name and, optional, label, parent and members (``Node.members``); an empty parent is the root,
        which need not be listed.
    faults : Faults
        Receives: missing columns, empty, repeated or odd names, unknown parents, cycles, members that are none.
    """
    if "name" not in table.columns:
        faults.add(
            Problem("missing column 'name'", table.name, ", ".join(table.columns), "name, label, parent")
        )
        return Axis(name, (Node(ROOT, ROOT, None),))
    at = {
        column: table.columns.index(column)
        for column in ("name", "label", "parent", "members")
        if column in table.columns
    }
    labels: dict[str, str] = {}
    parents: dict[str, str] = {}
    members: dict[str, int] = {}
    rows: dict[str, str] = {}
    for row, number in zip(table.rows, table.numbers, strict=True):
        where = f"{table.name}, row {number}, column name"
        node = row[at["name"]]
        if not node.strip() or oddity(node):
            faults.add(
                Problem("unusable name", where, repr(node), do=oddity(node) or "fill it in"), table.name
            )
        elif node in labels:
            faults.add(Problem("name repeated", where, repr(node), do=f"see {rows[node]}"), table.name)
        else:
            labels[node] = row[at["label"]].strip() if "label" in at else ""
            parents[node] = row[at["parent"]].strip() if "parent" in at else ""
            members[node] = _members(row[at["members"]].strip() if "members" in at else "", where, faults)
            rows[node] = where
    if parents.get(ROOT):
        faults.add(
            Problem("the root has a parent", rows[ROOT], repr(parents[ROOT]), f"{ROOT!r} contains all")
        )
    parents.pop(ROOT, None)
    for node, parent in parents.items():
        if parent and parent != ROOT and parent not in parents:
            where = rows[node].replace("column name", "column parent")
            faults.add(
                Problem("unknown parent", where, repr(parent), do=did_you_mean(parent, labels)), table.name
            )
            parents[node] = ""
    _report_twins(name, table.name, [ROOT, *labels], faults)
    return _build(name, labels, parents, faults, table.name, members)


def _members(text: str, where: str, faults: Faults) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,5}", text or "1"):
        return int(text or 1)
    place = where.replace("column name", "column members")
    faults.add(Problem("not a number of parts", place, repr(text), "a whole number from 1 to 999999"))
    return 1


def axis_from_names(name: str, names: Iterable[str], parents: Mapping[str, str], faults: Faults) -> Axis:
    """The axis of the names that the data hold, in order of appearance, under ``all``.

    Parameters
    ----------
    name : str
    names : iterable of str
    parents : mapping of str to str
        From ``part_of``; containers that the data do not name otherwise become nodes too.
    faults : Faults
        Receives names that are two spellings of one, and cycles.
    """
    labels = {node: "" for node in names if node != ROOT}
    tree = {node: parents.get(node, "") for node in labels}
    pending = [parent for parent in tree.values() if parent and parent != ROOT]
    while pending:
        parent = pending.pop(0)
        if parent not in tree:
            labels[parent] = ""
            tree[parent] = parents.get(parent, "")
            pending.append(tree[parent]) if tree[parent] not in ("", ROOT) else None
    _report_twins(name, "", [ROOT, *labels], faults)
    return _build(name, labels, tree, faults, "column part_of")


def _report_twins(name: str, where: str, names: Iterable[str], faults: Faults) -> None:
    for group in twins(names):
        faults.add(
            Problem(
                f"{name} spelt in several ways",
                where,
                " and ".join(repr(n) for n in group),
                "one spelling for one category",
                f'map them: values.{name} = {{"{group[1]}" = "{group[0]}"}}',
            )
        )


def _build(
    name: str,
    labels: Mapping[str, str],
    parents: Mapping[str, str],
    faults: Faults,
    where: str,
    members: Mapping[str, int] | None = None,
) -> Axis:
    """Nodes ordered parents first, siblings as they appeared."""
    children: dict[str, list[str]] = {}
    for node, parent in parents.items():
        children.setdefault(parent or ROOT, []).append(node)
    many = members or {}
    nodes = [Node(ROOT, labels.get(ROOT) or f"All {name}s", None, many.get(ROOT, 1))]
    stack = [(ROOT, child) for child in reversed(children.get(ROOT, []))]
    placed = {ROOT}
    while stack:
        parent, node = stack.pop()
        nodes.append(Node(node, labels[node] or node, parent, many.get(node, 1)))
        placed.add(node)
        stack.extend((node, child) for child in reversed(children.get(node, [])))
    loop = [node for node in parents if node not in placed]
    if loop:
        faults.add(
            Problem(
                f"{name}s contain one another in a circle", where, ", ".join(map(repr, loop[:5])), "a tree"
            )
        )
    return Axis(name, tuple(nodes))
