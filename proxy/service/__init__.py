"""Builds everything, and sees it through its life: start, reload, drain, stop.

- ``house``    the rooms of one sidecar, built from settings
- ``running``  ``Service``: the order of starting and of leaving
- ``fixed``    what a reload cannot change
- ``watching`` noticing that the configuration or a secret is another file now
- ``control``  what the admin listener may do with it
- ``overview``  what the dashboard shows beside statistics and health: sums, purges, replicas
- ``sharing``  the statistics of all replicas, added up through Redis
- ``entries``  what is stored for a URL, for the admin listener
- ``handover`` where a response belongs that the backend hands over
"""

from proxy.service.running import Service

__all__ = ["Service"]
