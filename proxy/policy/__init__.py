"""Decisions, pure: every function here takes ``now`` as an argument and returns a small value that others carry out.

Where a request belongs:

- ``templates``     path templates and value templates, compiled once
- ``paths``         the normal form of a path; which paths cannot be cached
- ``rules``         the rule book: routes, their settings, first match wins
- ``keys``          from request and route to the key, the logical key, the selectors
- ``forwarding``    what of a request goes to the backend, what of a response to the client
- ``cors``          the sidecar's own CORS answers
- ``invalidation``  what a write purges

The law of caching (RFC 9110, 9111, 5861, 9213):

- ``freshness``     lifetimes, age, stale windows
- ``storing``       may this response be stored, and how
- ``vary``          which variant a request selects
- ``validation``    conditions: the client's, answered here; ours, sent to the backend; merging a 304
- ``ranges``        parts of a stored 200
- ``plan``          one verdict for a request and what was found for it
"""
