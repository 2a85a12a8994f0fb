"""Decisions, pure: every function here takes ``now`` as an argument and returns a small value that others carry out.

Where a request belongs:

- ``paths``         the normal form of a path; which paths cannot be cached
- ``templates``     path templates, compiled once
- ``values``        value templates: tags, ids, users and URLs made of what a request carries
- ``claims``        what a bearer token says of itself, unverified
- ``rules``         routes, writes and their settings
- ``book``          the rule book: first match wins

Where its answer is kept, and what is asked for it:

- ``admission``     which requests have a key at all
- ``queries``       the keyed form of a query
- ``material``      key material: no two requests, one key
- ``keys``          from request and route to the key, the logical key, the selectors
- ``urls``          a URL that somebody names, as selectors
- ``hops``          the tables of fields that end here, or are harmless
- ``forwarding``    what of a request goes to the backend, what of a response to the client
- ``downstream``    lifetimes for browsers and CDNs
- ``cors``          the sidecar's own CORS answers

What takes it away again:

- ``tags``          the tags and groups that a backend names
- ``invalidation``  what a write purges

The law of caching (RFC 9110, 9111, 5861, 9213):

- ``targeted``      which field is the policy: ``Cache-Control``, or one made for caches like this
- ``freshness``     lifetimes, age, stale windows
- ``adaptive``      lifetimes that follow the traffic
- ``storing``       may this response be stored, and how
- ``verdicts``      what may come of that question
- ``trimming``      which of its fields are stored
- ``vary``          which variant a request selects
- ``validation``    conditions: the client's, answered here; ours, sent to the backend; merging a 304
- ``ranges``        parts of a stored 200
- ``handover``      a response that the backend hands over unasked
- ``ahead``         when a hit refreshes a user's own entry before its end
- ``plan``          one verdict for a request and what was found for it
"""
