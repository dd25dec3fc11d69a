import pytest

from sip_model.corpora.given import given_parts
from sip_model.errors import CorpusError


def test_the_usual_names_of_parts_are_known() -> None:
    names = ["train", "Validation", "val", "dev", "calibration", "cal", "test"]
    assert given_parts(names, names).tolist() == [0, 1, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(("split", "found"), [("oos", "'oos'"), (None, "none")])
def test_another_name_is_refused_with_document_and_value(split: str | None, found: str) -> None:
    with pytest.raises(CorpusError) as caught:
        given_parts(["train", split], ["d1", "d2"])
    assert caught.value.loc == ("document d2", "split")
    assert caught.value.found == found
