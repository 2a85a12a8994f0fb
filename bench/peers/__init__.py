"""Sapwood beside its peers on the same work: ``python -m bench.peers``, or ``make bench``.

In reading order: ``scenarios`` says what is asked of whom; ``servers`` starts ours and ``others`` the peers, each with
its configuration; ``behind`` and ``slow`` stand behind them; ``wrk``, ``openmodel`` and ``crowd`` ask, in the ``ways``
that there are; ``machine`` places processes on cores and reads what they use; ``measure`` takes turns, ``stats`` has
the medians; ``report``, ``chart`` and ``readme`` show them. ``profiling`` says where our own time goes.
"""
