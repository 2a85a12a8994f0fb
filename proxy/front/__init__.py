"""The traffic listener: one protocol object owns each client connection.

How to think about it: the loop calls a connection, the connection reads events into a queue, and only ``pump`` takes
from it, and only when nothing is in flight and the client reads; so answers keep their order and memory its bounds.
After whatever happened, ``settle`` decides anew, from the state alone, whether to read and what is waited for.

- ``options``     what the operator may set
- ``handler``     what the front calls
- ``forwarded``   whom to believe about the client's address and scheme
- ``incoming``    a head to a Request, or to the status that refuses it
- ``inbound``     a request body on its way in, bounded; the client's side of a tunnel too
- ``framing``     an answer's head: every field that frames it
- ``problems``    our own error answers
- ``alarm``       one timer per connection, set often and armed seldom
- ``waiting``     what is waited for, and how long
- ``exchange``    one request and its answer
- ``plates``      an answer made ready to be sent again
- ``manners``     how a client asks, learned once: all of its head but the request line and the id
- ``lane``        requests like one that was answered from memory: answered without a task
- ``splice``      both directions of a tunnel
- ``line``        the protocol object's half toward the transport: writing, reading or not, waiting, ending
- ``connection``  its half toward the requests: queue, order, tunnels
- ``listener``    the socket, the count, the drain
"""

from proxy.front.handler import Handler
from proxy.front.listener import Front
from proxy.front.options import FrontOptions

__all__ = ["Front", "FrontOptions", "Handler"]
