"""The tests: the network is virtual and has faults, and time is virtual, so that a slow provider takes no time."""

import asyncio
import contextlib
import functools
import unittest
from typing import Any, ClassVar

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock, VirtualNetwork

from .app import make_app
from .checkout import Checkout
from .payments_stub import PaymentsStub

PROVIDER = "https://payments.example"
ORDER = {"order": "A-1", "cents": 4200, "card": "visa"}


class CheckoutTestCase(AsyncHTTPTestCase):
    """A checkout, and its provider, which is another application."""

    clock_factory = VirtualClock
    network_factory = VirtualNetwork
    leaks = "fail"
    fail_on_server_error = True

    def get_app(self) -> Application:
        self.checkout = Checkout(PROVIDER)
        self.addCleanup(self.checkout.payments.close)
        return make_app(self.checkout)

    async def asyncSetUp(self) -> None:
        self.stub = PaymentsStub()
        self.payments = self.network.serve(PROVIDER, self.stub)

    async def order(self, **changes: object) -> Any:
        """Order, and return the response."""
        return await self.fetch("/checkout", json={**ORDER, **changes})

    async def status(self, number: str = "A-1") -> str:
        """Return the status of an order."""
        response = await self.fetch(f"/orders/{number}")
        return str(response.raise_for_status().json()["status"])


class OrderTest(CheckoutTestCase):
    """The provider answers at once."""

    async def test_a_card_is_charged(self) -> None:
        response = await self.order()
        self.assertStatus(response, 201)
        self.assertEqual(response.json(), {"order": "A-1", "cents": 4200, "status": "paid", "charge": "ch_1"})
        [request] = self.payments.requests
        self.assertEqual((request.method, request.path, request.host), ("POST", "/charge", "payments.example"))

    async def test_an_order_is_paid_once(self) -> None:
        answers = await asyncio.gather(self.order(), self.order())
        self.assertEqual([answer.json()["charge"] for answer in answers], ["ch_1", "ch_1"])
        self.assertEqual(len(self.payments.requests), 1)

    async def test_another_card_after_one_that_is_declined(self) -> None:
        declined = await self.order(card="expired")
        self.assertStatus(declined, 402)
        self.assertEqual((declined.json(), await self.status()), ({"error": "the card has expired"}, "declined"))
        self.assertStatus(await self.order(), 201)

    async def test_another_amount(self) -> None:
        await self.order()
        self.assertStatus(await self.order(cents=9900), 409)

    async def test_malformed(self) -> None:
        for body in (
            "tea",
            "[]",
            "{}",
            '{"order": "A-1", "cents": "1", "card": ""}',
            '{"order": "A-1", "cents": 0, "card": ""}',
        ):
            with self.subTest(body=body):
                self.assertStatus(await self.fetch("/checkout", method="POST", body=body), 400)
        self.assertEqual(self.payments.requests, [])

    async def test_an_unknown_order(self) -> None:
        self.assertStatus(await self.fetch("/orders/A-2"), 404)


class LostResponseTest(CheckoutTestCase):
    """The provider charges the card, and its response does not arrive."""

    async def test_a_cut_response_is_tried_again(self) -> None:
        self.payments.cut(after=100)  # bytes of the next response
        response = await self.order()
        self.assertStatus(response, 201)
        self.assertEqual([request.path for request in self.payments.requests], ["/charge", "/charge"])

    async def test_the_card_is_charged_once(self) -> None:
        self.payments.reset(after=0)
        self.assertEqual((await self.order()).json()["charge"], "ch_1")
        self.assertEqual(len(self.stub.answers), 1)

    async def test_a_third_attempt_is_the_last(self) -> None:
        for _ in range(3):
            self.payments.cut(after=100)
        response = await self.order()
        self.assertStatus(response, 502)
        self.assertEqual(await self.status(), "unconfirmed")
        self.assertEqual(self.clock.time(), 5)  # a second before the second attempt, and four before the third

    async def test_the_same_order_once_more(self) -> None:
        for _ in range(3):
            self.payments.cut(after=100)
        await self.order()
        self.assertEqual((await self.order()).json()["charge"], "ch_1")
        self.assertEqual(len(self.payments.requests), 4)


class SlowProviderTest(CheckoutTestCase):
    async def test_a_slow_provider_is_a_504(self) -> None:
        self.payments.latency = 40  # seconds of virtual time
        response = await self.order()
        self.assertStatus(response, 504)
        self.assertEqual((self.clock.time(), await self.status()), (15, "unconfirmed"))

    async def test_a_provider_that_is_not_too_slow(self) -> None:
        self.payments.latency = (5, 14)
        self.assertStatus(await self.order(), 201)

    async def test_two_clicks(self) -> None:
        """A customer who clicks again while the provider is silent is charged once."""
        self.payments.hold()
        clicks = asyncio.gather(self.order(), self.order())
        await asyncio.sleep(10)
        self.payments.release()
        self.assertEqual([answer.json()["charge"] for answer in await clicks], ["ch_1", "ch_1"])
        self.assertEqual(len(self.payments.requests), 1)


class ImpostorTest(CheckoutTestCase):
    async def test_a_host_without_the_certificate_of_the_provider(self) -> None:
        self.payments.stop()
        impostor = self.network.serve(PROVIDER, self.stub, certificate="untrusted")
        self.assertStatus(await self.order(), 502)
        self.assertEqual(impostor.requests, [])


class DownTest(CheckoutTestCase):
    """The provider refuses connections. After three orders, the circuit breaker leaves it alone."""

    async def place_three_orders(self) -> None:
        """Place three orders, while the provider refuses connections."""
        self.payments.refuse()
        for number in "B-1", "B-2", "B-3":
            self.assertStatus(await self.order(order=number), 502)
        self.payments.accept()

    async def test_a_provider_that_is_there_again(self) -> None:
        self.payments.refuse(2)
        self.assertStatus(await self.order(), 201)

    async def test_a_provider_that_is_down_is_left_alone(self) -> None:
        await self.place_three_orders()
        response = await self.order()
        self.assertStatus(response, 503)
        self.assertEqual((response.headers["Retry-After"], self.payments.requests), ("60", []))

    async def test_a_trial_after_a_minute(self) -> None:
        await self.place_three_orders()
        await asyncio.sleep(60)
        self.assertStatus(await self.order(), 201)
        self.assertStatus(await self.order(order="A-2"), 201)

    async def test_one_trial_at_a_time(self) -> None:
        await self.place_three_orders()
        await asyncio.sleep(60)
        answers = await asyncio.gather(self.order(), self.order(order="A-2"))
        self.assertEqual(sorted(answer.code for answer in answers), [201, 503])

    async def test_a_trial_that_fails(self) -> None:
        await self.place_three_orders()
        await asyncio.sleep(60)
        self.payments.refuse(3)
        self.assertStatus(await self.order(), 502)
        self.assertStatus(await self.order(), 503)


class EventsTest(CheckoutTestCase):
    """The checkout follows the events of the provider."""

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.following = asyncio.create_task(self.checkout.follow())
        self.addAsyncCleanup(self.stop_following)
        await self.eventually(lambda: self.stub.listeners)
        [self.feed] = self.payments.connections

    async def stop_following(self) -> None:
        self.following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.following

    def refund(self) -> None:
        """Let the provider refund the order."""
        self.stub.publish(order="A-1", status="refunded", charge="ch_1")

    async def test_an_event_confirms_an_order(self) -> None:
        self.payments.latency = 16
        self.assertStatus(await self.order(), 504)
        self.assertEqual(await self.status(), "unconfirmed")
        await asyncio.sleep(2)
        self.assertEqual(await self.status(), "paid")

    async def test_an_event_is_faster_than_the_response(self) -> None:
        self.payments.latency = 40
        self.feed.latency = 1
        self.assertStatus(await self.order(), 201)

    async def test_a_refund(self) -> None:
        await self.order()
        self.refund()
        await self.settle()
        self.assertEqual(await self.status(), "refunded")

    async def test_a_refund_during_a_partition(self) -> None:
        await self.order()
        self.network.partition("localhost", "payments.example")
        self.refund()
        await asyncio.sleep(3600)
        self.assertEqual(await self.status(), "paid")
        self.network.heal()
        await asyncio.sleep(60)
        self.assertEqual(await self.status(), "refunded")

    async def test_a_provider_that_starts_again(self) -> None:
        await self.order()
        self.payments.stop()
        self.refund()
        await asyncio.sleep(60)
        self.payments = self.network.serve(PROVIDER, self.stub)
        await asyncio.sleep(60)
        self.assertEqual(await self.status(), "refunded")

    async def test_a_feed_that_falls_silent(self) -> None:
        await self.order()
        self.feed.hold()  # this connection alone: it stays open, and nothing arrives
        self.refund()
        await asyncio.sleep(60)
        self.assertEqual(await self.status(), "refunded")

    async def test_only_events_that_were_missed(self) -> None:
        await self.order()
        self.feed.cut(after=20)
        self.refund()
        await asyncio.sleep(1)
        self.assertEqual(await self.status(), "refunded")
        self.assertEqual(self.payments.requests[-1].query, "after=1")

    async def test_the_checkout_ends_while_it_opens_the_feed(self) -> None:
        self.payments.latency = 5
        following = asyncio.create_task(self.checkout.follow())
        await asyncio.sleep(3)
        following.cancel()
        await asyncio.sleep(60)
        self.assertEqual(len(self.stub.listeners), 1)  # the one of asyncSetUp


class RandomFaultsTest(CheckoutTestCase):
    """Of the responses and of the connections, a third have a fault: ten runs, each with the faults of its seed."""

    network_factory: ClassVar[Any] = functools.partial(VirtualNetwork, faults=1 / 3)
    schedules = 10

    async def test_the_provider_and_the_checkout_agree(self) -> None:
        following = asyncio.create_task(self.checkout.follow())
        self.addCleanup(following.cancel)
        for number in "A-1", "A-2", "A-3":
            response = await self.order(order=number)
            self.assertIn(response.code, (201, 502, 503, 504))
        await asyncio.sleep(900)
        charged = [event["order"] for event in self.stub.events]
        paid = [order.number for order in self.checkout.orders.values() if order.status == "paid"]
        self.assertEqual(sorted(charged), sorted(paid))


if __name__ == "__main__":
    unittest.main()
