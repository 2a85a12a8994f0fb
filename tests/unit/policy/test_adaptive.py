import pytest

from proxy.policy.adaptive import Adaptive, Bound, Step, Window, adapted, last_full, lifetime, step_for
from proxy.policy.rules import Route

STRATEGY = Adaptive(3600.0, hot=Bound(1000, 2.0), cold=Bound(10, 0.5), least=300.0, most=86400.0)


@pytest.mark.parametrize(
    ("adaptive", "reads", "step"),
    [
        pytest.param(STRATEGY, None, Step.BASE, id="no window was seen"),
        pytest.param(STRATEGY, 1001, Step.HOT, id="above a thousand"),
        pytest.param(STRATEGY, 1000, Step.BASE, id="a thousand"),
        pytest.param(STRATEGY, 10, Step.BASE, id="ten"),
        pytest.param(STRATEGY, 9, Step.COLD, id="below ten"),
        pytest.param(STRATEGY, 0, Step.COLD, id="nobody"),
        pytest.param(Adaptive(60.0, cold=Bound(10, 0.5)), 10**6, Step.BASE, id="nothing is hot"),
        pytest.param(Adaptive(60.0, hot=Bound(1000, 2.0)), 0, Step.BASE, id="nothing is cold"),
    ],
)
def test_which_factor(adaptive, reads, step):
    assert step_for(adaptive, reads) is step


@pytest.mark.parametrize(
    ("base", "adaptive", "step", "seconds"),
    [
        pytest.param(3600.0, STRATEGY, Step.HOT, 7200.0, id="twice the base"),
        pytest.param(3600.0, STRATEGY, Step.BASE, 3600.0, id="the base"),
        pytest.param(3600.0, STRATEGY, Step.COLD, 1800.0, id="half the base"),
        pytest.param(60000.0, STRATEGY, Step.HOT, 86400.0, id="at most"),
        pytest.param(400.0, STRATEGY, Step.COLD, 300.0, id="at least"),
        pytest.param(60.0, Adaptive(60.0, hot=Bound(1, 9.0), cold=Bound(1, 0.1)), Step.HOT, 540.0, id="without a most"),
        pytest.param(60.0, Adaptive(60.0, hot=Bound(1, 9.0), cold=Bound(1, 0.1)), Step.COLD, 6.0, id="without a least"),
        pytest.param(60.0, Adaptive(60.0), Step.HOT, 60.0, id="hot without a factor"),
        pytest.param(60.0, Adaptive(60.0), Step.COLD, 60.0, id="cold without a factor"),
    ],
)
def test_what_it_means(base, adaptive, step, seconds):
    assert lifetime(base, adaptive, step) == seconds


def test_a_route_is_another_one_for_what_is_read_much():
    route = Route("plan", ttl=3600.0, adaptive=STRATEGY)
    hot, step = adapted(route, 1001)
    assert (hot.ttl, step, hot.name) == (7200.0, Step.HOT, "plan")
    assert route.ttl == 3600.0


@pytest.mark.parametrize("route", [Route("plan", ttl=60.0), Route("plan", adaptive=STRATEGY)], ids=["fixed", "no base"])
def test_a_route_whose_lifetime_follows_nothing_stays_itself(route):
    assert adapted(route, 10**6) == (route, Step.BASE)


@pytest.mark.parametrize(
    ("now", "window"),
    [
        pytest.param(7200.0, Window(1, 3600.0), id="just over"),
        pytest.param(10799.9, Window(1, 3600.0), id="long over"),
        pytest.param(10800.0, Window(2, 7200.0), id="the next"),
    ],
)
def test_the_last_full_window(now, window):
    assert last_full(3600.0, now) == window
