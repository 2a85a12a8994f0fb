from hypothesis import given
from hypothesis import strategies as st

from proxy.message.stored import Uncacheable
from proxy.store.kept import Kept, Queue

VALUE = Uncacheable("private", 0.0)


def an_item(size=1):
    return Kept("digest", b"material", VALUE, 60.0, size)


def from_oldest(queue):
    item = queue.oldest
    while item is not None:
        yield item
        item = item.newer


def from_newest(queue):
    item = queue.newest
    while item is not None:
        yield item
        item = item.older


@given(st.lists(st.tuples(st.sampled_from(["push", "pull", "swap"]), st.integers(0, 30), st.integers(1, 9))))
def test_a_queue_is_the_list_it_stands_for(steps):
    queue, model = Queue(), []
    for what, where, size in steps:
        if what == "push":
            model.append(an_item(size))
            queue.push(model[-1])
        elif model:
            place = where % len(model)
            left = model[place]
            if what == "pull":
                queue.pull(model.pop(place))
            else:
                model[place] = an_item(size)
                queue.swap(left, model[place])
            assert (left.older, left.newer) == (None, None)
        assert list(from_oldest(queue)) == model
        assert list(from_newest(queue)) == model[::-1]
        assert queue.size == sum(item.size for item in model)
        assert [queue.has_other_than(item) for item in model] == [len(model) > 1] * len(model)
        assert queue.has_other_than(an_item()) is bool(model)
