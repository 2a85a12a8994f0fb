"""Facts, and those who count and log them. The pipeline tells; nobody here is asked.

- ``events``      what happened, in the past tense
- ``observers``   one observer that stands for several
- ``repeats``     hits that are answered like the one before: an addition each, and a line for a few
- ``counters``    plain integers and bucket lists, cheap enough for every hit
- ``gauges``      what others know at the moment of a scrape
- ``checks``      what a value read from elsewhere has to be
- ``snapshots``   the counters as plain data, and back
- ``summing``     the counters of several processes, added up
- ``metrics``     the counters as Prometheus metrics, made at scrape time
- ``totals``      sums, and the rates that follow from them
- ``shares``      what one process has counted, on its way to the others, and added up with theirs
- ``stats``       the counters as the admin API's totals and rates
- ``advice``      whether a route's lifetime fits how its entries are read
- ``pulse``       the counters' sums at one moment, for those who compare two of them
- ``recent``      the last purges that this process made or tried
- ``intervals``   what happened between two looks at the counters
- ``cloudwatch``  those metrics for CloudWatch, once an interval
- ``putting``     by its API
- ``emf``         as lines of the log
- ``logs``        one line per request, per purge, per failure
- ``logger``      what makes a line of an event's fields
- ``requestlines``  a request's line, written directly
- ``redaction``   what a log line may hold
- ``linewriter``  the thread that writes lines
- ``options``     what the operator says about logs
"""
