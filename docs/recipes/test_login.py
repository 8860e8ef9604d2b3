"""A user signs in by a form; other tests begin with a user who is signed in."""

from tornado.web import Application, RequestHandler, authenticated

from asynctest_tornado import AsyncHTTPTestCase

PASSWORDS = {"anna": "secret"}


class BaseHandler(RequestHandler):
    def get_current_user(self):
        user = self.get_signed_cookie("user")
        return user.decode() if user else None


class LoginHandler(BaseHandler):
    def get(self):
        self.write(f"<form method='post'>{self.xsrf_form_html()} ...</form>")

    def post(self):
        name = self.get_argument("name")
        if PASSWORDS.get(name) != self.get_argument("password"):
            self.set_status(403)
            return
        self.set_signed_cookie("user", name)
        self.redirect("/account")


class AccountHandler(BaseHandler):
    @authenticated
    def get(self):
        self.write(f"Hello, {self.current_user}!")


class LoginTest(AsyncHTTPTestCase):
    send_cookies = True

    def get_app(self):
        return Application(
            [("/login", LoginHandler), ("/account", AccountHandler)],
            cookie_secret="a secret of the tests",
            login_url="/login",
            xsrf_cookies=True,
        )

    def sign_in_by_form(self, name, password):
        self.fetch("/login")  # its form sets the cookie _xsrf
        form = {"name": name, "password": password, "_xsrf": self.cookies["_xsrf"]}
        return self.fetch("/login", form=form)

    def test_sign_in(self):
        response = self.sign_in_by_form("anna", "secret")
        self.assertEqual(response.body, b"Hello, anna!")

    def test_a_wrong_password(self):
        self.assertStatus(self.sign_in_by_form("anna", "guess"), 403)
        self.assertNotIn("user", self.cookies)

    def test_a_stranger_is_sent_to_the_form(self):
        response = self.fetch("/account", follow_redirects=False)
        self.assertEqual((response.code, response.headers["Location"]), (302, "/login?next=%2Faccount"))

    def test_the_account(self):
        self.sign_in("user", "anna")
        self.assertEqual(self.fetch("/account").body, b"Hello, anna!")

    def test_a_form_of_another_site(self):
        self.assertStatus(self.fetch("/login", form={"name": "anna", "password": "secret"}), 403)
