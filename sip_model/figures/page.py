"""A self-contained HTML page: no script, nothing fetched, readable in light and dark and on a phone.

Imports no drawing library: the service builds pages of tables with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sip_model.figures.markup import Markup, element

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""What a page needs, and nothing more."""

_STYLE = Markup("""
:root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--quiet:#595959;--line:#d4d4d4;--card:#f6f6f6;
--link:#0645ad}
@media (prefers-color-scheme:dark){:root{--paper:#161616;--ink:#e8e8e8;--quiet:#a8a8a8;--line:#3d3d3d;
--card:#222;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main,header,footer{max-width:68rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
footer{padding-bottom:3rem;color:var(--quiet)}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.25rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p,ul{max-width:46rem;margin:.6rem 0}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;padding:0;max-width:none}
.quiet{color:var(--quiet)}
.scroll{overflow-x:auto;margin:.8rem 0}
.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;font-size:.875rem}
caption{text-align:left;color:var(--quiet);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line)}
thead th{border-bottom:2px solid var(--line);white-space:nowrap}
th[scope=row]{font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure{margin:1.2rem 0;padding:0}
figure img{display:block;max-width:100%;height:auto;background:#fff;padding:.6rem;
border:1px solid var(--line);border-radius:4px}
figcaption{max-width:46rem;margin-top:.4rem;font-size:.9rem;color:var(--quiet)}
details{margin:.6rem 0}
summary{cursor:pointer}
pre{overflow-x:auto;background:var(--card);padding:.8rem;border-radius:4px;font-size:.8rem}
code{font-size:.85em;overflow-wrap:anywhere}
td code{white-space:nowrap}
@media(max-width:40rem){img.wide{max-width:none;width:44rem}}
.failed{font-weight:600}
@media print{nav{display:none}body{font-size:11pt}}
""")


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page."""

    anchor: str
    title: str
    content: Sequence[Markup]


def page(title: str, lead: str, sections: Sequence[Section], footer: str = "") -> str:
    """A whole document.

    Args:
        title: of the page.
        lead: what it is about, one line.
        sections: in order; those without content are left out.
        footer: last line.
    """
    shown = [section for section in sections if section.content]
    links = [element("li", element("a", part.title, href=f"#{part.anchor}")) for part in shown]
    parts = [
        element(
            "section",
            element("h2", part.title, id=f"{part.anchor}-title"),
            *part.content,
            id=part.anchor,
            aria_labelledby=f"{part.anchor}-title",
        )
        for part in shown
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", _STYLE),
    )
    body = element(
        "body",
        element("header", element("h1", title), element("p", lead, class_="quiet")),
        element(
            "main",
            element("nav", element("ul", *links), aria_label="Contents") if len(shown) > 1 else "",
            *parts,
        ),
        element("footer", element("p", footer)) if footer else "",
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> Markup:
    """A table; the first column names its rows.

    Args:
        caption: what it holds.
        head: names of the columns.
        rows: cells, text or markup.
        numbers: how many of the last columns hold numbers, which stand right-aligned.
    """
    first = len(head) - numbers

    def kind(column: int) -> str | None:
        return "number" if column >= first else None

    cells = [
        element(
            "tr",
            *(
                element("th", cell, scope="row") if column == 0 else element("td", cell, class_=kind(column))
                for column, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    names = [element("th", name, scope="col", class_=kind(column)) for column, name in enumerate(head)]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *names)),
            element("tbody", *cells),
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def fields(caption: str, values: Mapping[str, str]) -> Markup:
    """A table of names and values; empty where there is none."""
    return table(caption, ("", ""), list(values.items())) if values else Markup("")


def folded(summary: str, *content: Markup) -> Markup:
    """Content behind a line that opens it."""
    return element("details", element("summary", summary), *content)


def paragraph(text: str) -> Markup:
    """One paragraph of plain text."""
    return element("p", text)


def bullets(items: Sequence[str]) -> Markup:
    """A list; empty where there is nothing to list."""
    return element("ul", *(element("li", item) for item in items)) if items else Markup("")


def code(text: str) -> Markup:
    """A block of code or JSON."""
    return element("pre", element("code", text))


def number(value: float | None, form: str = ".4g") -> str:
    """A number in this form, with a true minus; a dash for what isn't there."""
    return "–" if value is None or value != value else f"{value:{form}}".replace("-", "−")
