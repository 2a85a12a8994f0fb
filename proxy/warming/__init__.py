"""What happens by the clock, and what is fetched before anybody asks.

- ``cron``        a cron expression, and when it is due next
- ``dues``        which due time is to be run now
- ``turns``       who among all replicas runs what is due
- ``schedule``    purges by the clock

Warming, from what is to be warmed to what came of it:

- ``warmers``     a warmer as the operator wrote it
- ``items``       where in a list the backend's items are
- ``requests``    requests made of recipes and URLs, as far as the rules allow
- ``candidates``  what a warmer's source has for it now
- ``pace``        how many at once the backend bears
- ``courtesy``    how many places live traffic can spare
- ``asking``      one request, through the ordinary pipeline
- ``runs``        one run of one warmer, and its progress
- ``archive``     what the last runs came to, for all replicas
- ``read_since``  whether what was warmed is read at all
- ``purges``      purges that are heard of, gathered
- ``rounds``      runs by the clock and after a start: each once per service
- ``jobs``        runs that were asked for, and those that came by themselves
- ``warming``     all of it, as the service and the admin API see it
"""
