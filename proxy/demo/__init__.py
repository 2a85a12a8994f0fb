"""``sapwood demo``: a slow backend, two sidecars before it, one Valkey that they share, and what happens as it happens.

- ``catalogue``  the demo's plans and users
- ``tokens``     bearer tokens as the backend hands them out
- ``backend``    the backend, shaped like TreeBeard's
- ``ports``      which ports, and whether they are free
- ``sidecars``   the children: ``sapwood serve`` twice
- ``stage``      everything started, in order, and ended
- ``tour``       the lines to try, and what each of them claims
- ``guide``      plays the tour and says whether it was true
- ``live``       the sidecars' log lines for people
- ``__main__``   the program
"""
