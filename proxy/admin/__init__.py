"""The admin and probe listeners, on aiohttp: what operators, backends and probes ask of a running sidecar.

- ``options``     what the operator says about them; how an address is written
- ``control``     what a service lets this room do
- ``server``      both listeners, started and stopped as one
- ``listening``   one socket
- ``guard``       who may ask: Host, Origin, token
- ``tokens``      the token as it changes
- ``problems``    errors as ``application/problem+json``
- ``bodies``      reading a JSON body
- ``orders``      from JSON to what is to be purged, or every mistake in it
- ``pace``        how many calls a second
- ``receipts``    how far a purge has come, and waiting until it holds everywhere
- ``purging``     the calls that purge and that ask how far a purge has come
- ``handovers``   the call by which the backend hands over a response
- ``warming``     the calls that warm, and that ask how far warming is
- ``inspection``  the calls that show, and reload
- ``loglines``    the calls that show and change how much is logged
- ``health``      what is healthy
- ``points``      what the dashboard's plots show, of the counters' sums at several moments
- ``gathering``   asking for several things at once, of which one may be slow
- ``watching``    one look at the service per second, however many watch
- ``streaming``   ``GET /events``: what the dashboard shows, as it happens
- ``assets``      the dashboard's page and files, from ``static``
- ``probes``      ``/livez``, ``/readyz``, ``/metrics``
"""
