"""Does a bucket let through what its limit says, and is nobody remembered for ever?"""

from __future__ import annotations

from bot.slack.rates import REMEMBERED, Bucket, Buckets, Rate


def test_all_of_a_minute_at_once_and_then_one_after_the_other() -> None:
    """Five at once, the sixth twelve seconds later, and never more than five saved up."""
    bucket = Bucket(Rate.a_minute(5), 0)

    assert [bucket.take(0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert bucket.wait(0) == 12
    assert bucket.wait(9) == 3
    assert not bucket.take(11.9)
    assert bucket.take(12)
    assert [bucket.take(3600) for _ in range(6)] == [True] * 5 + [False]


def test_a_third_at_once() -> None:
    """What is allowed at once may be less than what is allowed in a minute."""
    bucket = Bucket(Rate.a_minute(60, at_once=20), 0)

    assert [bucket.take(0) for _ in range(21)].count(True) == 20
    assert [bucket.take(30) for _ in range(21)].count(True) == 20


def test_who_is_told_is_told_anew_after_the_next_one_that_went_through() -> None:
    """Taking one forgets that its person was told."""
    bucket = Bucket(Rate.a_minute(1), 0)
    assert bucket.take(0)
    bucket.told = True

    assert not bucket.take(1)
    assert bucket.told
    assert bucket.take(61)
    assert not bucket.told


def test_the_bucket_used_longest_ago_makes_room() -> None:
    """However many people and requests there are, the memory for them is bounded."""
    buckets = Buckets(Rate.a_minute(1), lambda: 0)
    first = buckets.of("first")
    for number in range(REMEMBERED - 1):
        buckets.of(str(number))
    assert buckets.of("first") is first

    buckets.of("one more")

    assert len(buckets) == REMEMBERED
    assert buckets.of("first") is first
    assert buckets.of("1").take(0)
