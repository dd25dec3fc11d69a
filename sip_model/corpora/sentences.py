"""Where the sentences of a text begin, by punctuation alone."""

import re

import numpy as np

from sip_model.corpora.chunking import IntArray

# A mark that ends a sentence, quotation marks and brackets that close with it, and white space; an initial
# ("J. Austen") ends none. Chinese and Japanese marks need no space after them, and a new line always begins
# something new.
_END = re.compile(
    r"(?P<spaced>(?<!\b[^\W\d_]\.)(?<=[.!?…])[\"'”’»)\]]*\s+(?=\S))"
    r"|[。\uff01\uff1f][」』”’)]*(?=[^\s」』”’)])"
    r"|\s*\n\s*(?=\S)"
)


def sentence_starts(text: str) -> IntArray:
    """Code points at which sentences begin, (s,), ascending, s >= 1; the first one begins at 0.

    What goes on in lower case after a mark and a space is the same sentence.
    """
    found = [
        match.end()
        for match in _END.finditer(text)
        if match["spaced"] is None or "\n" in match[0] or not text[match.end()].islower()
    ]
    return np.unique(np.array([0, *found], np.int64))
