"""How the transcripts in ``cases/`` are read and played.

- ``cases``   YAML into frozen values; whatever it does not know, it refuses
- ``wire``    reading HTTP/1.1 by hand, for both ends
- ``origin``  a backend that says exactly what the script says
- ``client``  a client that sends exactly what the script says
- ``stage``   the sidecar between them, a clock, and the judgement of every step
"""
