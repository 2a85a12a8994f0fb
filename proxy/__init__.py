"""Sapwood, a caching sidecar: the rooms, in reading order.

The nouns and the law (pure: no I/O, no clock, no logging; time is an argument):

- ``message``     what a request, a response and a stored response are
- ``policy``      every decision: which route, which key, may it be stored, is it fresh, who must be asked

The outside world, one door each:

- ``wire``        HTTP/1.1 on the wire, both sides, without any policy
- ``backplane``   the connection to Redis that all who need it share
- ``purge``       the ledger: what was purged, and whether an entry is older than that
- ``store``       load and save stored responses: in memory, in Redis, or memory in front of Redis
- ``fetch``       the backend: its connections, one flight per key, the spool that readers follow
- ``popularity``  which entries are read most, and how each could be fetched again
- ``observe``     facts, and those who count and log them

The way of a request:

- ``pipeline``    from a parsed request to an answer; the only place where decisions are carried out
- ``warming``     what is fetched before anybody asks, and what happens by the clock
- ``front``       the traffic listener: one protocol object owns each client connection
- ``admin``       the admin and probe listeners

The house around it:

- ``settings``    YAML and environment made into the rooms' own options, or a list of addressed mistakes
- ``service``     builds everything, starts, reloads, drains
- ``background``  the one door for tasks
- ``cli``, ``demo``  what a person types, and the show

Each room imports only from rooms further down this chain:
``cli | demo > service > settings > front | admin > warming > pipeline > store | fetch | popularity > purge >
backplane | wire > observe | policy > message | background``.
"""

__version__ = "0.1.0"
