"""The nouns: what travels and what is kept. Values only, nothing here decides, waits or reads a clock.

- ``headers``       field lines in the order they came, and the list syntax of RFC 9110 section 5.6.1
- ``body``          a body that is still on its way
- ``request``       one request as it was understood
- ``response``      one response head, final or interim
- ``phrases``       the registered name of each status
- ``stored``        a response with what a cache must remember of it
- ``cachecontrol``  the directives of ``Cache-Control`` and its targeted kin
- ``structured``    as much of structured fields (RFC 9651) as the house needs
- ``dates``         HTTP-date, in its three forms
- ``cachestatus``   the ``Cache-Status`` field (RFC 9211)
- ``selectors``     the names by which stored responses are purged
- ``globs``         patterns over logical keys
- ``values``        what the values on a request's way are made with
- ``errors``        whose fault it was
"""
