from proxy.front.alarm import Alarm


class Handle:
    def __init__(self):
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Loop:
    def __init__(self):
        self.now = 100.0
        self.armed = []

    def time(self):
        return self.now

    def call_at(self, when, callback):
        handle = Handle()
        self.armed.append((when, callback, handle))
        return handle

    def pass_until(self, now):
        self.now = now
        due = [each for each in self.armed if each[0] <= now and not each[2].cancelled]
        self.armed = [each for each in self.armed if each not in due]
        for _, callback, _ in due:
            callback()


def alarm():
    loop, rings = Loop(), []
    return loop, rings, Alarm(loop, lambda: rings.append(loop.now))


def test_it_rings_once_at_its_time():
    loop, rings, bell = alarm()
    bell.set(5)
    loop.pass_until(104)
    loop.pass_until(105)
    loop.pass_until(200)
    assert rings == [105]


def test_a_later_time_arms_nothing_until_the_first_has_come():
    loop, rings, bell = alarm()
    bell.set(5)
    for _ in range(100):
        bell.set(50)
    assert len(loop.armed) == 1
    loop.pass_until(105)
    assert rings == []
    loop.pass_until(150)
    assert rings == [150]


def test_an_earlier_time_counts():
    loop, rings, bell = alarm()
    bell.set(50)
    bell.set(5)
    loop.pass_until(105)
    loop.pass_until(200)
    assert rings == [105]


def test_what_was_cleared_does_not_ring_and_may_be_set_again():
    loop, rings, bell = alarm()
    bell.set(5)
    bell.clear()
    loop.pass_until(105)
    assert rings == []
    assert loop.armed == []
    bell.set(5)
    loop.pass_until(110)
    assert rings == [110]


def test_what_was_cancelled_lets_go_of_the_loop():
    loop, rings, bell = alarm()
    bell.set(5)
    bell.cancel()
    bell.cancel()
    assert loop.armed[0][2].cancelled
    loop.pass_until(200)
    assert rings == []


def test_it_may_be_told_what_time_it_is():
    loop, rings, bell = alarm()
    bell.set_from(102.0, 5)
    loop.pass_until(106.9)
    assert rings == []
    loop.pass_until(107)
    assert rings == [107]
