"""The mutants of a file: those of Cosmic Ray's operators that suit numerical code, and two more.

mutmut cannot be used here: it leaves out functions with a decorator, which all forwards are, and
code outside of functions, which all `.pullbacks(...)` are.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
import parso
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.work_item import MutationSpec, WorkItem

__all__ = ["changed_lines", "mutants", "mutated"]

BINARY = (
    "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul LShift_RShift RShift_LShift "
    "BitAnd_BitOr BitOr_BitAnd BitXor_BitOr"
)
COMPARISON = "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is"
UNARY = "Delete_USub Delete_Not Delete_Invert"
OTHERS = (
    "AddNot NumberReplacer ReplaceAndWithOr ReplaceOrWithAnd ReplaceTrueWithFalse "
    "ReplaceFalseWithTrue ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop"
)
CHOSEN = {
    *(f"core/ReplaceBinaryOperator_{name}" for name in BINARY.split()),
    *(f"core/ReplaceComparisonOperator_{name}" for name in COMPARISON.split()),
    *(f"core/ReplaceUnaryOperator_{name}" for name in UNARY.split()),
    *(f"core/{name}" for name in OTHERS.split()),
    "rules/NegateRule",
    "rules/SwapArguments",
}


class NegateRule(Operator):
    """The cotangent that a rule returns, with the other sign: `lambda g: f(g)` -> `-(f(g))`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "lambdef" and node.get_params() and node.get_params()[0].name.value == "g":
            yield node.children[-1].start_pos, node.children[-1].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        body = node.children[-1]
        text = f" -({body.get_code().strip()})"
        node.children[-1] = parso.python.tree.Name(text, body.start_pos)
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("lambda g, x: g * x", "lambda g, x: -(g * x)"),)


COMMUTATIVE = {
    *("add", "array_equal", "broadcast_shapes", "eq", "equal", "logaddexp"),
    *("max", "maximum", "min", "minimum", "multiply"),
}


class SwapArguments(Operator):
    """The first two positional arguments of a call, changed about."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "arglist" and node.parent.type == "trailer":
            if node.get_first_leaf().get_previous_leaf().get_previous_leaf().value in COMMUTATIVE:
                return
            pair = [child for child in node.children if child.type not in ("operator", "argument")]
            if len(pair) > 1 and pair[0].get_code().strip() != pair[1].get_code().strip():
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        first, second = [
            i for i, child in enumerate(node.children) if child.type not in ("operator", "argument")
        ][:2]
        a, b = (node.children[i] for i in (first, second))
        node.children[first] = parso.python.tree.Name(b.get_code().strip(), a.start_pos)
        text = f" {a.get_code().strip()}"
        node.children[second] = parso.python.tree.Name(text, b.start_pos)
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("f(a, b)", "f(b, a)"),)


cosmic_ray.plugins.OPERATOR_PROVIDERS["rules"] = {
    "NegateRule": NegateRule,
    "SwapArguments": SwapArguments,
}


def mutants(path: Path) -> list[WorkItem]:
    """Every mutant of the file, under an id that stays the same while the file does."""
    source = path.read_text(encoding="utf-8")
    digest = hashlib.sha256(source.encode()).hexdigest()
    spans = list(_not_computing(ast.parse(source)))
    nodes = list(ast_nodes(get_ast_from_path(path)))
    found = []
    for name in sorted(CHOSEN):
        operator = cosmic_ray.plugins.get_operator(name)()
        places = ((node, *place) for node in nodes for place in operator.mutation_positions(node))
        # Every place counts, since `mutated` finds a mutation by how many come before it.
        for occurrence, (node, start, end) in enumerate(places):
            if not any(first <= start < last for first, last in spans):
                owner = ASTQuery(node).get_definition_name()
                spec = MutationSpec(path, name, occurrence, start, end, {}, owner)
                key = f"{path.name} {digest} {name} {occurrence}"
                found.append(WorkItem.single(hashlib.sha256(key.encode()).hexdigest()[:32], spec))
    return found


def mutated(source: str, spec: MutationSpec) -> str:
    """The source with the mutation in it."""
    operator = cosmic_ray.plugins.get_operator(spec.operator_name)(**spec.operator_args)
    code = mutate_code(source, operator, spec.occurrence)
    assert code is not None, f"{spec.operator_name} has no occurrence {spec.occurrence}"
    return code


def changed_lines(before: str, after: str) -> list[str]:
    """The lines taken out and put in, each with its sign."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


Position = tuple[int, int]


def _not_computing(tree: ast.Module) -> Iterator[tuple[Position, Position]]:
    """Annotations, unions of types, the words of errors, `__all__`, whether `zip` asserts that
    lengths are the same, and the order of the codes that `@check` declares: what no test is to see.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield _span(node.annotation)
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield _span(node.returns)
        if isinstance(node, ast.Raise):
            yield _span(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "zip":
                yield from (_span(given) for given in node.keywords)
            elif node.func.id == "check":
                yield from map(_span, node.args)
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            value = statement.value
            union = isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)
            if union or isinstance(value, ast.List | ast.Subscript):
                yield _span(statement)


def _span(node: Any) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
