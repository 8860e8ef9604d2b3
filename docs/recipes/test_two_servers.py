"""Two servers in one test: a gateway in front of a service."""

from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, HTTPTestServer


class UsersHandler(RequestHandler):
    """A part of the service behind the gateway."""

    def get(self):
        self.write({"user": self.request.headers["X-User"]})


class GatewayHandler(RequestHandler):
    """Sends requests on to the service, with the name of the user."""

    async def get(self, path):
        url = self.settings["service_url"] + path
        response = await AsyncHTTPClient().fetch(url, headers={"X-User": "anna"}, raise_error=False)
        self.set_status(response.code)
        self.write(response.body)


class GatewayTest(AsyncHTTPTestCase):
    async def get_app(self):
        self.service = await self.enterAsyncContext(HTTPTestServer(Application([("/user", UsersHandler)])))
        return Application([("/service(/.*)", GatewayHandler)], service_url=self.service.url)

    def test_the_service_knows_the_user(self):
        self.assertEqual(self.fetch("/service/user").json(), {"user": "anna"})

    async def test_both_give_the_same_answer(self):
        direct = await self.service.fetch("/user", headers={"X-User": "anna"})
        through_the_gateway = await self.fetch("/service/user")
        self.assertEqual(direct.body, through_the_gateway.body)

    def test_an_unknown_page_of_the_service(self):
        self.assertStatus(self.fetch("/service/nothing"), 404)
