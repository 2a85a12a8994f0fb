"""The way of a request: the only place where decisions are carried out.

- ``reply``    what the front gets: a head, a body, and the facts to be told
- ``visit``    one request that may be served from the cache, and what is known of it
- ``parts``    what the way needs from the other rooms, built once by ``service``
- ``answer``   the one path: route, key, lookup, plan, and one ``match`` that carries the plan out
- ``probe``    whether the next like request may get what the last one got, and nobody asked
- ``lookup``   what the store has for a request, and what the ledger says of it
- ``flying``   who leads a flight, who follows, what each of them gets
- ``leading``  leading a flight without a task
- ``judging``  from the head of an answer to what is to be kept of it
- ``solo``     the usual miss, which needs no crew
- ``fill``     a flight's crew: ask the backend, decide on the head, collect, save
- ``adapting`` how a route's ttl follows the traffic, for one visit
- ``saving``   into the store: responses, marks, the vary record
- ``readings`` counting what is read
- ``unasked``  asking for what nobody waits for: the most read, once more after a purge
- ``handover`` a response that the backend hands over, in the place of every copy there is
- ``ahead``    which copies a refresh ahead of their end was tried for
- ``heads``    HEAD for something stored that is no longer fresh
- ``passing``  requests that no cached route serves
- ``telling``  of answers that have left
- ``timing``   ``Server-Timing`` for those who may know
- ``writes``   requests that purge: carried to their response head whoever leaves
- ``problems``  answers of our own that say what went wrong
- ``render``   from something stored or shared to an answer: conditions, ranges, HEAD, and the fields of ours
"""
