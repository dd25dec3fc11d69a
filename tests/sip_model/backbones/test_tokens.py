import pytest

from sip_model.backbones.info import read_info
from sip_model.backbones.load import Backbone, load_backbone
from sip_model.backbones.tokens import encode, token_offsets
from tests.sip_model.backbones.tiny import make_tiny_backbone


@pytest.fixture(scope="module", params=["bert", "gpt2"])
def backbone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    folder = make_tiny_backbone(tmp_path_factory.mktemp("tiny"), request.param)
    return load_backbone(folder, read_info(folder, "tiny", "r"), "cpu", "float32")


def test_offsets_cut_the_text_into_its_tokens(backbone: Backbone) -> None:
    text = "The wind went over the hills."
    offsets = token_offsets(backbone)(text)
    assert "".join(text[start:end] for start, end in offsets) == text
    assert len(offsets) > 3


def test_offsets_are_code_points_and_never_empty(backbone: Backbone) -> None:
    text = "Ünï 漢字 🙂!"
    offsets = token_offsets(backbone)(text)
    assert offsets[0][0] == 0
    assert offsets[-1][1] == len(text)
    assert all(start < end for start, end in offsets)


def test_chunking_takes_a_tokenizer_as_well_as_a_backbone(backbone: Backbone) -> None:
    assert token_offsets(backbone.tokenizer)("the hills") == token_offsets(backbone)("the hills")


def test_cutting_for_one_caller_leaves_others_their_whole_text(backbone: Backbone) -> None:
    text = "the river of sound went over the hills"
    assert encode(backbone, [text], 4).lengths.tolist() == [4]
    assert len(token_offsets(backbone)(text)) > 4
    assert encode(backbone, [text], 100).lengths[0] > 4


def test_texts_lie_one_after_the_other(backbone: Backbone) -> None:
    tokens = encode(backbone, ["the hills", "a river of sound"], 100)
    second = tokens.flat[tokens.starts[1] : tokens.starts[1] + tokens.lengths[1]]
    assert second.tolist() == backbone.tokenizer.encode("a river of sound").ids
