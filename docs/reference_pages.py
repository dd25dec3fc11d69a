"""A Sphinx extension that writes the pages which say what the code says: HTTP requests and `sip` commands."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

Schema = dict[str, Any]
FOLDER = "reference"


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers itself with Sphinx."""
    app.connect("builder-inited", write_reference_pages)
    return {"parallel_read_safe": True}


def write_reference_pages(app: Sphinx) -> None:
    """Write `reference/http.md` and `reference/sip.md` anew, where they have changed."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    _write(folder / "http.md", "\n".join(http_page(openapi())) + "\n")
    _write(folder / "sip.md", sip_page())


def openapi() -> Schema:
    """The document that a service would answer with at `/openapi.json`."""
    from api.app import create_app
    from db.settings import Settings

    return create_app(Settings()).openapi()


def sip_page() -> str:
    """Every command with its options, as Typer describes them."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "sip.md"
        words = ["-m", "typer", "cli.main", "utils", "docs", "--name", "sip", "--output", str(page)]
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        return page.read_text(encoding="utf-8")


def http_page(document: Schema) -> Iterator[str]:
    """Markdown of an OpenAPI document: requests first, then the shapes they are made of."""
    yield from ("# HTTP reference", "", document["info"]["description"], "")
    yield "This page is made from the service's own `/openapi.json`."
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(method.upper(), path, operation)
    yield from ("", "## Shapes", "")
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _shape(name, schema)


def _operation(method: str, path: str, operation: Schema) -> Iterator[str]:
    yield from ("", f"## {method} `{path}`", "", operation.get("description") or operation.get("summary", ""))
    if parameters := operation.get("parameters"):
        yield from ("", "| parameter | in | type | meaning |", "| --- | --- | --- | --- |")
        for each in parameters:
            name = f"`{each['name']}`" + (" (needed)" if each.get("required") else "")
            about = each.get("description") or each["schema"].get("description", "")
            yield f"| {name} | {each['in']} | {_type(each['schema'])} | {_cell(about)} |"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Body, `{media}`: {_type(content.get('schema', {}))}")
    yield from ("", "| status | meaning | answer |", "| --- | --- | --- |")
    for status, response in operation["responses"].items():
        shapes = [
            f"`{media}` {_type(content.get('schema', {}))}"
            for media, content in response.get("content", {}).items()
        ]
        yield f"| {status} | {_cell(response['description'])} | {'; '.join(shapes)} |"


def _shape(name: str, schema: Schema) -> Iterator[str]:
    yield from ("", f"({_target(name)})=", f"### {name}", "", schema.get("description", ""))
    if "properties" not in schema:
        yield from ("", _type({key: value for key, value in schema.items() if key != "description"}))
        return
    needed = set(schema.get("required", ()))
    yield from ("", "| field | type | default | meaning |", "| --- | --- | --- | --- |")
    for field, each in schema["properties"].items():
        default = f"`{each['default']!r}`" if "default" in each else "needed" if field in needed else ""
        yield f"| `{field}` | {_type(each)} | {_cell(default)} | {_cell(each.get('description', ''))} |"


def _type(schema: Schema) -> str:
    """A schema in a few words, with links to the shapes it names."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        return f"[{name}](#{_target(name)})"
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in schema:
            return " or ".join(_type(each) for each in schema[combined])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    found = schema.get("type", "anything")
    return " or ".join(found) if isinstance(found, list) else str(found) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum", schema.get("minLength")))
    high = schema.get("maximum", schema.get("exclusiveMaximum", schema.get("maxLength")))
    if low is None and high is None:
        return ""
    return f", {'' if low is None else low}…{'' if high is None else high}"


def _target(name: str) -> str:
    return f"shape-{name.lower()}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
