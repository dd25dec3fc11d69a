from hypothesis import given
from hypothesis import strategies as st

from sip_model.corpora.naming import NumberedNames, unique_names

TITLES = st.sampled_from(["Poems", "Poems (1)", "Poems (2)", "Poems (2) (2)", "Emma", "Poems (1) (1)"])


def test_shared_titles_are_told_apart_by_their_keys() -> None:
    assert unique_names({"17": "Poems", "18": "Poems", "19": "Emma"}) == {
        "17": "Poems (17)",
        "18": "Poems (18)",
        "19": "Emma",
    }


@given(st.lists(TITLES, max_size=12))
def test_every_key_gets_a_name_of_its_own_that_begins_with_its_title(titles: list[str]) -> None:
    keyed = {str(number): title for number, title in enumerate(titles)}
    names = unique_names(keyed)
    assert len(set(names.values())) == len(titles)
    assert all(names[key].startswith(title) for key, title in keyed.items())


@given(st.lists(TITLES, max_size=12))
def test_no_name_is_given_twice(titles: list[str]) -> None:
    names = NumberedNames()
    given = [names.give(title) for title in titles]
    assert len(set(given)) == len(given)
    assert all(name.startswith(title) for name, title in zip(given, titles, strict=True))
