"""YAML and environment made into the rooms' own options, or a list of mistakes with their addresses.

The way of a configuration, in this order:

- ``yaml12``        text to nodes with places, by YAML 1.2; duplicates, tags and alias bombs refused
- ``nodes``         scalars, lists and mappings as they were written; the core schema
- ``layers``        ``${NAME}``, then ``SAPWOOD_*``, then flags
- ``sections``      how a mapping is read: kinds, defaults, unknown keys, and what is shown of it
- ``secrets``       what is never shown, and files that hold it
- ``kinds``         durations, sizes, shares, words
- ``network``       addresses, URLs, networks
- ``fields``        field names, methods, media types, origins
- ``loading``       ``load_settings``: the whole of it
- ``written``       what it was read from, for another process to read again
- ``settings``      ``Settings``, and what a reload cannot change

Section by section:

- ``rooms``         listeners, backend, limits, logs
- ``storage``       store and memory
- ``processes``     workers
- ``lifetimes``     what routes inherit from namespaces and ``defaults``
- ``routes``        ``namespaces`` and ``routes``
- ``matching``      ``match`` and ``after``
- ``keying``        ``key``, and what templates may name
- ``writes``        ``invalidate``
- ``crossorigin``   ``cors``
- ``cron``          when the clock purges
- ``warmers``       checked in full, then refused: not built yet
- ``cases``         ``tests``

Judging and showing it:

- ``mistakes``      what is wrong and what is doubtful, with its place
- ``nearest``       did you mean
- ``cautions``      what works but is probably not meant
- ``fingerprints``  digests of a route and of the whole
- ``check``         a file's mistakes, doubts and the verdicts of its tests
- ``trial``         one request (and response) through the pure rooms
- ``explain``       what the rules say of a request, for people and as data
"""

from proxy.settings.loading import load_settings
from proxy.settings.mistakes import Caution, Mistake, Mistakes
from proxy.settings.settings import Settings, needs_restart

__all__ = ["Caution", "Mistake", "Mistakes", "Settings", "load_settings", "needs_restart"]
