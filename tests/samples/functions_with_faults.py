"""Test functions on a network with faults."""

import functools

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPError

from asynctest_tornado import VirtualClock, VirtualNetwork
from tests.samples.mistaken_http import make_app

HALF = functools.partial(VirtualNetwork, faults={"cut": 0.5})
URL = "https://payments.example"


@pytest.mark.gen_test(network_factory=HALF, schedules=4)
async def test_random(network: VirtualNetwork) -> None:
    network.serve(URL, make_app())
    await AsyncHTTPClient().fetch(f"{URL}/hello")


@pytest.mark.gen_test(network_factory=VirtualNetwork, clock_factory=VirtualClock)
async def test_broken(network: VirtualNetwork) -> None:
    payments = network.serve(URL, make_app())
    payments.cut(after=10)
    with pytest.raises(HTTPError):
        await AsyncHTTPClient().fetch(f"{URL}/hello")


@pytest.mark.gen_test(network_factory=VirtualNetwork)
async def test_missing(network: VirtualNetwork) -> None:
    network.serve(URL, make_app()).cut(after=10)


@pytest.mark.gen_test(network_factory=VirtualNetwork)
async def test_skipped(network: VirtualNetwork) -> None:
    network.serve(URL, make_app()).cut(after=10)
    pytest.skip("later")
