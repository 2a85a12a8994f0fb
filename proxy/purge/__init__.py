"""The ledger: what was purged, and whether an entry is older than that.

- ``options``   what the operator says about purging
- ``ledger``    what every ledger can do
- ``marks``     per selector the last hard and the last soft purge; judging an entry against them
- ``patterns``  purges by glob over logical keys
- ``pending``   purges that no ledger has acknowledged yet, and that hold here all the same
- ``local``     the ledger of one process (``memory://``)
- ``scripts``   the Lua that keeps the ledger in Redis
- ``records``   what those scripts answer, made into values
- ``mirror``    a copy of the ledger in this process, and how it is kept true
- ``calls``     the scripts as calls
- ``following`` the looks that keep the mirror true
- ``replicas``  who has seen a purge, and when it holds everywhere
- ``shuttle``   one question at a time for many who ask
- ``shared``    the ledger in Redis, for all replicas

How to think about it. Time is one counter; a purge moves it on and writes down, per selector, when that was. An entry
carries its selectors and S0, the counter as read before its fetch began; it is gone when one of its selectors was
purged later than S0. So it does not matter where an entry lies, who fetched it, or whether its fetch was under way:
nothing is searched and nothing is deleted, and a fetch that a purge overtook stores what nobody will use. Every judge
must know the ledger up to the counter that was read together with the entry: that, not a push, makes it correct.
"""
