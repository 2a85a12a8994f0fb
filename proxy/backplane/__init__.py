"""The connection to Redis that all who need it share: bounded in connections, and in what a dead server may cost.

- ``options``   what the operator says about it
- ``client``    one exchange at a time: commands, pipelines, scripts; every failure becomes a ``StoreError``
- ``talk``      what is said on one connection, as redis-py says it
- ``straight``  one exchange without a task, on a connection that is known to be sound
- ``batch``     what one turn of the loop wants, as one exchange
- ``scripts``   Lua that is sent by its digest
- ``credentials``  user and password, which may change while connections come and go
- ``pool``      the connections: at most so many, and nobody queues before a server that answers nothing
- ``breaker``   open after a failure; one probe at a time finds out when to close it
- ``server``    what ``INFO`` tells, for health and statistics
- ``embedded``  a Valkey of our own, which dies with us

How a dead server stays cheap. Three things fail in three ways: a killed server refuses at once, a hung one says
nothing, a pool in front of a hung one fills up. So: the first failure opens the breaker, and while it is open every
call fails without waiting; no exchange takes longer than ``timeout``, connecting included; and a queue for connections
that has not moved for a moment is a failure too. Hence at most ``max_connections`` callers ever wait for ``timeout``.
"""
