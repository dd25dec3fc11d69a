"""`sip classify` and `sip embed`: texts in, distributions or vectors out."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from cli.connecting import DEFAULT_URL, AsJson, Token, Url, connected
from cli.distributions import quote, show_backing, show_distribution, show_spans
from cli.saliency import show_saliency

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT]...", help="The texts; - or none: standard input.", show_default=False),
]
Lines = Annotated[
    Path | None,
    typer.Option(
        "--file",
        exists=True,
        dir_okay=False,
        readable=True,
        help="A UTF-8 file, one text per line.",
        show_default=False,
    ),
]


def classify(
    texts: Texts = None,
    file: Lines = None,
    model: Annotated[
        str | None, typer.Option(help="Id, name or name@version; else the default.", show_default=False)
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, help="Sources named per text.")] = 5,
    unknown_prior: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How likely it is beforehand that no known source is right.",
            show_default=False,
        ),
    ] = None,
    evidence: Annotated[int, typer.Option(min=0, max=10, help="Training passages shown per text.")] = 0,
    coverage: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Show the sources that hold the right one this often.", show_default=False
        ),
    ] = None,
    level: Annotated[
        Literal["text", "token"], typer.Option(help="token: also which stretch is of which source.")
    ] = "text",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which words speak for the first source.")
    ] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Where texts come from: each one's source distribution."""
    given = read_texts(texts or [], file)
    with connected(url, token, as_json=as_json) as (client, terminal):
        with terminal.busy("The service reads the texts", quiet=as_json):
            answer = client.classify(
                given,
                model=model,
                top_k=top_k,
                unknown_prior=unknown_prior,
                evidence=evidence or None,
                coverage=coverage,
                level="token" if level == "token" else None,
                explain=explain or None,
            )
        if as_json:
            terminal.print_json(answer)
            return
        for text, result in zip(given, answer["results"], strict=True):
            note = " [yellow](not read to its end)[/]" if result["truncated"] else ""
            terminal.say(f"  {quote(text, terminal.num_columns - 45)}{note}")
            show_distribution(terminal, result)
            show_spans(terminal, text, result)
            show_backing(terminal, result)
            show_saliency(terminal, text, result)
        by = answer["model"]
        terminal.say(f"  [dim]{escape(by['name'])}@{by['version']}, {answer['usage']['tokens']:,} tokens[/]")


def embed(
    texts: Texts = None,
    file: Lines = None,
    model: Annotated[
        str | None, typer.Option(help="What this model reads; else the default's.", show_default=False)
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="A language model's id.", show_default=False)] = None,
    layer: Annotated[int | None, typer.Option(min=0, help="0: the embeddings.", show_default=False)] = None,
    pooling: Annotated[Literal["mean", "last", "cls"] | None, typer.Option(show_default=False)] = None,
    normalize: Annotated[bool, typer.Option(help="Scale each vector to length 1.")] = True,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Vectors of texts, as JSON."""
    given = read_texts(texts or [], file)
    with connected(url, token, as_json=True) as (client, terminal):
        answer = client.embed(
            given, model=model, backbone=backbone, layer=layer, pooling=pooling, normalize=normalize
        )
        terminal.print_json(answer)


def read_texts(texts: list[str], file: Path | None) -> list[str]:
    """The texts of a command: its arguments, a file's lines, or the whole of standard input as one.

    Raises:
        typer.BadParameter: arguments and a file, nothing at all, or bytes that are not UTF-8.
    """
    if texts and file is not None:
        raise typer.BadParameter("expected texts or --file, found both")
    try:
        if file is not None:
            found = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        elif texts and texts != ["-"]:
            return texts
        elif sys.stdin.isatty():
            raise typer.BadParameter("expected a text, --file, or standard input; found none")
        else:
            found = [text] if (text := sys.stdin.read()).strip() else []
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"expected UTF-8, found other bytes at {error.start}") from error
    if not found:
        raise typer.BadParameter("expected a text, found nothing but blanks")
    return found
