"""Load and save stored responses.

- ``options``   what the operator says about stored responses
- ``protocol``  what every store can do
- ``memory``    in this process, within a byte budget
- ``s3fifo``    what leaves memory when there is no room
- ``kept``      one thing in memory, and the queues it stands in
- ``sizes``     what an entry takes in this process
- ``redis``     in Redis, for all replicas
- ``tiered``    memory in front of Redis
- ``codec``     stored responses, marks and vary records, to and from octets
- ``records``   the frame around them: version, checksum, the material they belong to
- ``leaning``   records that lean on a dictionary
- ``dictionary``    one dictionary, prepared
- ``dictionaries``  those at hand in this process
- ``shelf``         those in Redis
- ``training``      what one is trained on, and whether it is worth it
- ``learning``      which one new entries lean on

A store keeps and finds, and judges nothing: whether an entry is fresh, fits the request or was purged is decided by
those who load it. What cannot be read counts as not there.
"""
