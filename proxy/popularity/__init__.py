"""Which entries are read most, in this process, and how each could be fetched again.

- ``counts``   reads per entry, bounded; which of them a purge would hit
- ``recipes``  the request that an entry was stored for, without anything that is one client's alone

All of it is an estimate: entries that were forgotten here may lie in the store, and other replicas count for themselves.
"""
