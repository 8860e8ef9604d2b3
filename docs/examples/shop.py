"""An application that charges its customers by a service of another company."""

import json

from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.web import Application, RequestHandler


class CheckoutHandler(RequestHandler):
    async def post(self):
        url = f"{self.settings['payments']}/charge"
        try:
            response = await AsyncHTTPClient().fetch(url, method="POST", body=self.request.body, request_timeout=10)
        except (HTTPClientError, OSError):
            self.set_status(502)
            self.finish({"error": "no payment"})
        else:
            self.finish({"paid": json.loads(response.body)["amount"]})


def make_app(payments):
    return Application([("/checkout", CheckoutHandler)], payments=payments)
