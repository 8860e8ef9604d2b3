from tornado.web import Application, RequestHandler

PRICES = {"tea": 3}


class PriceHandler(RequestHandler):
    def get(self, item):
        self.write({"price": PRICES[item]})


def make_app():
    return Application([(r"/prices/(\w+)", PriceHandler)])
