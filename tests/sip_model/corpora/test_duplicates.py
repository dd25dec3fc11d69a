import numpy as np

from sip_model.corpora import duplicates
from sip_model.corpora.duplicates import first_of_equals, near_duplicate_clusters
from tests.sip_model.corpora.corpus_files import words


def random_text(generator: np.random.Generator, num_words: int) -> list[str]:
    return [f"w{number}" for number in generator.integers(10**6, size=num_words)]


def test_case_and_white_space_make_no_other_text() -> None:
    assert first_of_equals(["One  two", "three", " one\nTWO ", "Straße", "STRASSE"]).tolist() == [
        0,
        1,
        0,
        3,
        3,
    ]


def test_texts_that_differ_in_a_word_at_the_end_are_near_duplicates() -> None:
    clusters = near_duplicate_clusters([words("a", 32), words("b", 32), words("a", 31) + " other"])
    assert clusters[0] == clusters[2] != clusters[1]


def test_short_texts_are_compared_by_characters() -> None:
    texts = ["how do i reset my bank pin", "how do i reset my bank pins", "what is a pin"]
    clusters = near_duplicate_clusters(texts)
    assert clusters[0] == clusters[1] != clusters[2]


def test_texts_of_fewer_characters_than_a_shingle_are_told_apart() -> None:
    assert len(set(near_duplicate_clusters(["a", "b", "字", "ab"]).tolist())) == 4


def test_links_chain_into_one_cluster() -> None:
    text = words("a", 60).split()
    texts = [" ".join(text[shift : shift + 40]) for shift in range(0, 20, 2)]
    assert len(set(near_duplicate_clusters(texts).tolist())) == 1


def test_clusters_agree_with_comparing_all_pairs() -> None:
    generator = np.random.default_rng(0)
    texts = []
    for _ in range(150):
        base = random_text(generator, 40)
        texts.append(" ".join(base))
        for num_changes in (1, 2, 3, 6):
            changed = list(base)
            for place in generator.integers(40, size=num_changes):
                changed[place] = "other"
            texts.append(" ".join(changed))
    shingles = [duplicates._shingles(text) for text in texts]
    clusters = near_duplicate_clusters(texts)
    missed = wrong = pairs = 0
    for i in range(len(texts)):
        linked = False
        for j in range(len(texts)):
            jaccard = len(shingles[i] & shingles[j]) / len(shingles[i] | shingles[j])
            if i != j and jaccard >= 0.8:
                pairs += 1
                linked = True
                missed += bool(clusters[i] != clusters[j])
        wrong += not linked and bool((clusters == clusters[i]).sum() > 1)
    assert pairs > 300
    assert wrong == 0
    assert missed <= pairs // 500


def test_many_copies_of_one_text_take_no_quadratic_time() -> None:
    texts = [words("a", 60) + f" end{number}" for number in range(3000)]
    assert len(set(near_duplicate_clusters(texts).tolist())) == 1
