from asynctest_tornado import AsyncHTTPTestCase

from app import make_app


class PriceTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    async def test_tea(self):
        response = await self.fetch("/prices/tea")
        self.assertEqual(response.json(), {"price": 3})

    async def test_milk(self):
        response = await self.fetch("/prices/milk")
        self.assertEqual(response.code, 404)
