"""Builds everything, and sees it through its life: start, reload, drain, stop.

- ``house``    the rooms of one sidecar, built from settings
- ``keeping``  what it keeps: in this process alone, or in Redis for all replicas
- ``running``  ``Service``: the order of starting and of leaving
- ``fixed``    what a reload cannot change
- ``watching`` noticing that the configuration or a secret is another file now
- ``control``  what the admin listener may do with it
- ``overview``  what the dashboard shows beside statistics and health: sums, purges, replicas
- ``redisfacts``  what Redis says of itself
- ``sharing``  the statistics of all replicas, added up through Redis
- ``entries``  what is stored for a URL, for the admin listener
- ``handover`` where a response belongs that the backend hands over
- ``settling`` what a process does when it has just become ready
- ``traffic``  where clients come in

Several processes (``workers``): the *leader* owns admin port, clock and workers, and has no clients.

- ``shares``   what each process gets of what is said for all
- ``port``     the address that all workers listen on
- ``channel``  orders and news between the leader and a worker
- ``member``   a worker as the leader sees it
- ``orders``   what the leader asks of them, and how long it waits
- ``crew``     all of them: started, kept alive, added up, drained
- ``leading``  what the admin listener may do with a sidecar that has workers
- ``worker``   the other end: a process that serves clients and does what its leader says
"""

from proxy.service.running import Service

__all__ = ["Service"]
