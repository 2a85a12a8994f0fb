"""Which entries are read most, and how each could be fetched again: counted here, added up with all other replicas.

- ``counts``   reads per entry in this process, bounded; which of them a purge would hit
- ``recipes``  the request that an entry was stored for, without anything that is one client's alone
- ``records``  a recipe and its selectors as octets, and back, with nothing believed
- ``hours``    the hours of a week
- ``ranking``  the counts of all processes together: what every ranking can do, and what it keeps
- ``own``      the ranking of one process (``memory://``)
- ``shared``   the ranking in Redis, for all replicas
- ``merging``  carries the counts of this process into the ranking, every few seconds
- ``windows``  reads in windows by the clock, for lifetimes that follow the traffic; those of one process
- ``sharedwindows``  those of all replicas, in Redis
- ``tallying``  carries the reads of this process into the windows, every few seconds

All of it is an estimate: what was forgotten here may lie in the store.
"""
