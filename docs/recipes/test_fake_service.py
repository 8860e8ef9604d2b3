"""A weather service of another company is an application of the test."""

from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, VirtualNetwork


class AdviceHandler(RequestHandler):
    """The application under test: it asks the weather service."""

    async def get(self):
        url = f"{self.settings['weather_url']}/today?city=Rome"
        try:
            response = await AsyncHTTPClient().fetch(url)
        except (HTTPError, OSError):
            self.write("Look out of the window.")
        else:
            self.write("Take an umbrella." if b"rain" in response.body else "Enjoy the sun.")


class TodayHandler(RequestHandler):
    """The fake of the service."""

    def get(self):
        self.write({"weather": "rain"})


class AdviceTest(AsyncHTTPTestCase):
    def get_app(self):
        self.weather = self.network.serve("https://weather.example", Application([("/today", TodayHandler)]))
        return Application([("/advice", AdviceHandler)], weather_url=self.weather.url)

    async def test_rain(self):
        response = await self.fetch("/advice")
        self.assertEqual(response.body, b"Take an umbrella.")
        [request] = self.weather.requests
        self.assertEqual(request.arguments["city"], [b"Rome"])

    async def test_the_service_is_down(self):
        self.weather.stop()
        response = await self.fetch("/advice")
        self.assertEqual(response.body, b"Look out of the window.")


class AdviceInMemoryTest(AdviceTest):
    network_factory = VirtualNetwork

    async def test_the_service_breaks_off(self):
        self.weather.cut(after=100)
        response = await self.fetch("/advice")
        self.assertEqual(response.body, b"Look out of the window.")
