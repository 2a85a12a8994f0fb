from clocks import Clock

from proxy.admin.pace import Pace


def test_two_seconds_worth_at_once_then_as_many_as_time_allows():
    clock = Clock(100.0)
    pace = Pace(clock)

    assert [pace.wait_for(200) for _ in range(400)] == [0.0] * 400
    assert 0 < pace.wait_for(200) <= 0.005

    clock.now += 0.0051
    assert pace.wait_for(200) == 0.0
    assert pace.wait_for(200) > 0


def test_a_pause_saves_up_no_more_than_that():
    clock = Clock(100.0)
    pace = Pace(clock)
    clock.now += 3600
    assert sum(pace.wait_for(10) == 0.0 for _ in range(100)) == 20


def test_a_rate_below_one_burst_still_takes_single_calls():
    pace = Pace(Clock(100.0))
    assert [pace.wait_for(1) == 0.0 for _ in range(3)] == [True, True, False]
