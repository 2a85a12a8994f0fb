"""The backend: its connections, one flight per key, the spool that readers follow.

The boundary and who stands behind it:

- ``options``     the backend's address and the bounds that protect it
- ``origin``      the boundary: ``Origin.send``, what goes in, what comes out
- ``pool``        the Origin over sockets: places, connections, the one retry that is safe
- ``fake``        the Origin by script, for tests; passes the same contract as ``pool``

One request on one connection, from the socket up:

- ``patience``    a timer that is moved often and fires seldom
- ``connection``  bytes both ways, with back-pressure
- ``inflow``      bytes that nobody has read yet
- ``outflow``     a request's body, pulled as fast as the backend takes it
- ``framing``     the fields that frame a request
- ``exchange``    one request and its reply; the only place where its endings meet
- ``begun``       a request that went out at once
- ``whole``       what is all here
- ``tunnel``      a connection that is no longer HTTP
- ``places``      how many at once, and the queue before it

What is made of replies:

- ``flights``     one fetch per key, however many ask
- ``spool``       a body collected once and read by many
"""
