"""The ways in which the same bytes may arrive."""

import pytest

from proxy.wire import Data


def merged(events):
    """Adjacent content as one piece: how it was cut is no part of a message."""
    out = []
    for event in events:
        if isinstance(event, Data) and out and isinstance(out[-1], Data):
            out[-1] = Data(out[-1].data + event.data)
        else:
            out.append(event)
    return out


def cuts(data):
    """Whole, in two at every byte, byte by byte."""
    yield [data]
    for position in range(1, len(data)):
        yield [data[:position], data[position:]]
    yield [data[position : position + 1] for position in range(len(data))]


@pytest.fixture(name="merged")
def merged_fixture():
    return merged


@pytest.fixture(name="cuts")
def cuts_fixture():
    return cuts
