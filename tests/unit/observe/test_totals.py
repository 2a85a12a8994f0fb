from proxy.observe.totals import Totals, percent


def test_sums_and_differences_are_taken_field_by_field():
    one, other = Totals(hits=5, stored_ttl=60.0, errors=1), Totals(hits=2, misses=1)
    assert one + other == Totals(hits=7, stored_ttl=60.0, errors=1, misses=1)
    assert one + other - other == one


def test_what_passes_by_is_no_part_of_the_hit_rate():
    totals = Totals(hits=4, stale=1, revalidated=1, misses=2, collapsed=2, bypass=90, refused=3, errors=7)
    assert (totals.answered_from_cache, totals.asked_the_backend) == (6, 4)
    assert (totals.hit_rate, totals.requests) == (60.0, 110)


def test_percentages_have_two_digits_and_nothing_of_nothing_is_zero():
    assert (percent(1, 3), percent(0, 0), percent(2, 2)) == (33.33, 0.0, 100.0)
