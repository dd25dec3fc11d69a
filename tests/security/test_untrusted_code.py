"""Code of a model's or a corpus' repository can't be run: no call of the product leaves the choice open."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("api", "cli", "client", "db", "sip_model", "worker")


@cache
def all_calls() -> list[tuple[Path, ast.Call]]:
    """Every call of the product."""
    paths = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")]
    trees = [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]
    return [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    """Every call of a function or method of this name."""
    return [(path, call) for path, call in all_calls() if _name(call.func) == name]


def constants(call: ast.Call) -> dict[str | None, object]:
    """The arguments that are given by name, those that are no constants left out."""
    return {kw.arg: kw.value.value for kw in call.keywords if isinstance(kw.value, ast.Constant)}


def test_every_loading_of_a_model_says_that_no_remote_code_runs_and_no_network_is_used() -> None:
    found = calls("from_pretrained")
    assert len(found) >= 3
    for path, call in found:
        given = constants(call)
        assert given.get("trust_remote_code") is False, path
        assert given.get("local_files_only") is True, path
        assert all(keyword.arg is not None for keyword in call.keywords), path  # no ** that could override it
        if any(keyword.arg == "config" for keyword in call.keywords):
            assert given.get("use_safetensors") is True, path


def test_nothing_else_of_the_product_names_remote_code() -> None:
    for folder in PRODUCT:
        for path in (ROOT / folder).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            named = [line for line in lines if "trust_remote_code" in line]
            assert all("trust_remote_code=False" in line for line in named), path


def test_nothing_that_is_read_is_run() -> None:
    for name in (
        "eval",
        "exec",
        "compile",
    ):  # the built-in ones: models and patterns have methods of that name
        assert not [path for path, call in calls(name) if isinstance(call.func, ast.Name)], name
    for name in ("load_dataset", "unsafe_load", "popen"):
        assert not calls(name), name
    assert not [path for path, call in calls("system") if ast.unparse(call.func) != "platform.system"]
    # its own command lines, and a kind of experiment that the request's schema knows
    allowed = {
        ROOT / "cli" / "lazy.py",
        ROOT / "worker" / "template.py",
        ROOT / "worker" / "jobs" / "registry.py",
    }
    assert {path for path, _ in calls("import_module")} == allowed
    for path, call in [*calls("run"), *calls("Popen")]:
        assert not constants(call).get("shell"), path


def _name(function: ast.expr) -> str | None:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None
