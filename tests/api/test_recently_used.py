"""What stays in memory."""

from api.recently_used import LeastRecentlyUsed


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(100, lambda value: value)
    for key, value in (("a", 40), ("b", 30), ("c", 30)):
        kept.put(key, value)
    assert (kept.keys, kept.num_bytes) == (["a", "b", "c"], 100)
    assert kept.get("a") == 40
    kept.put("d", 35)  # b and c go, a was asked for since
    assert (kept.keys, kept.num_bytes) == (["a", "d"], 75)
    assert kept.get("b") is None


def test_what_is_larger_than_all_that_may_be_kept_is_kept_alone() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(100, lambda value: value)
    kept.put("small", 10)
    kept.put("large", 1000)
    assert kept.keys == ["large"]
    kept.put("small", 10)
    assert kept.keys == ["small"]


def test_a_value_put_again_takes_the_place_of_the_first() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(100, lambda value: value)
    kept.put("a", 90)
    kept.put("a", 60)
    assert kept.num_bytes == 60
    kept.drop_where(lambda key: key == "a")
    assert "a" not in kept
    assert kept.num_bytes == 0
