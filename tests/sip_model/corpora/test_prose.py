import inspect

from sip_model.corpora.prose import prose_lines

NUMPY = """
    Return the frequency response of a filter.

    Parameters
    ----------
    b, a : array_like, shape (n,)
        Numerator of a linear filter. See :func:`scipy.signal.lfilter`.
    worN : {None, int}, optional
        If a single integer, then compute at that many frequencies.

    Returns
    -------
    w : ndarray
        The frequencies, as given by

    .. math:: H(z) = b_0

        \\frac{1}{2}

    .. versionadded:: 1.2

    Examples
    --------
    >>> from scipy import signal
    >>> b
    array([1.])

    The plot shows it::

        import matplotlib

    Copyright 2020 the authors
    """

GOOGLE = """Applies the thing.

    Args:
        x (Tensor, optional): The input.
        **kwargs (dict): More of it.
    Returns:
        What was applied.

    ```python
    apply(x)
    ```
    """


def prose(docstring: str) -> list[str]:
    return [line for line in prose_lines(inspect.cleandoc(docstring)) if line]


def test_prose_is_what_remains_of_a_numpy_docstring() -> None:
    assert prose(NUMPY) == [
        "Return the frequency response of a filter.",
        "Numerator of a linear filter. See scipy.signal.lfilter.",
        "If a single integer, then compute at that many frequencies.",
        "The frequencies, as given by",
        "The plot shows it::",
    ]


def test_prose_is_what_remains_of_a_google_docstring() -> None:
    assert prose(GOOGLE) == ["Applies the thing.", "The input.", "More of it.", "What was applied."]
