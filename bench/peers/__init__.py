"""Sapwood beside its peers on the same work: ``python -m bench.peers``, or ``make bench``.

In reading order: ``scenarios`` says what is asked of whom; ``servers`` has one class per peer with its configuration;
``wrk``, ``openmodel``, ``crowd`` and ``coldkey`` ask; ``machine`` places processes on cores and reads what they use;
``measure`` runs rounds and turns them into ``stats``; ``report`` and ``chart`` show them.
"""
