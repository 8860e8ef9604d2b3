import asyncio
import contextlib
import ssl
import tempfile
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import trustme
from tornado import web
from tornado.httpclient import HTTPError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from asynctest_tornado import AsyncHTTPSTestCase, AsyncTestCase, ExpectLog, HTTPTestServer
from asynctest_tornado._tls import bundled_certificate, certificate_check
from tests.support import run_case


class CertificateTest(unittest.TestCase):
    def certificate(self, path: str) -> dict[str, object]:
        # The only decoder of the standard library, private but used by everybody who needs one.
        return ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined,no-any-return]

    def test_it_is_valid_for_decades(self) -> None:
        for path in bundled_certificate.AUTHORITY, bundled_certificate.CERTIFICATE:
            end = ssl.cert_time_to_seconds(str(self.certificate(path)["notAfter"]))
            self.assertGreater(datetime.fromtimestamp(end) - datetime.now(), timedelta(days=30 * 365))

    def test_it_is_valid_on_a_machine_whose_clock_was_never_set(self) -> None:
        for path in bundled_certificate.AUTHORITY, bundled_certificate.CERTIFICATE:
            self.assertEqual(ssl.cert_time_to_seconds(str(self.certificate(path)["notBefore"])), 0)

    def test_its_key_says_that_it_is_public(self) -> None:
        text, begin, _ = Path(bundled_certificate.KEY).read_text().partition("-----BEGIN PRIVATE KEY-----")
        self.assertTrue(begin)
        self.assertIn("public by design", text)

    def test_it_is_for_this_machine_only(self) -> None:
        names = self.certificate(bundled_certificate.CERTIFICATE)["subjectAltName"]
        self.assertEqual(names, (("DNS", "localhost"), ("IP Address", "127.0.0.1"), ("IP Address", "0:0:0:0:0:0:0:1")))

    def test_the_key_belongs_to_it(self) -> None:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            bundled_certificate.CERTIFICATE, bundled_certificate.KEY
        )


class CheckDateTest(unittest.TestCase):
    """Certificates that a suite serves itself."""

    def options(self, not_before: datetime | None = None, not_after: datetime | None = None) -> dict[str, str]:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        paths = {"certfile": f"{folder.name}/own.crt", "keyfile": f"{folder.name}/own.key"}
        certificate = trustme.CA().issue_cert("own.example.com", not_before=not_before, not_after=not_after)
        certificate.cert_chain_pems[0].write_to_path(paths["certfile"])
        certificate.private_key_pem.write_to_path(paths["keyfile"])
        return paths

    def setUp(self) -> None:
        self.now = datetime.now(UTC)

    def test_one_that_is_valid_is_good_whoever_has_signed_it(self) -> None:
        certificate_check.check_date(self.options())
        certificate_check.check_date(bundled_certificate.server_options())

    def test_one_that_has_expired_is_an_error_that_names_it(self) -> None:
        options = self.options(not_after=self.now - timedelta(days=1))
        with self.assertRaisesRegex(ValueError, "own.crt' of the server has expired.*Renew it, .*validate_cert=False"):
            certificate_check.check_date(options)

    def test_one_that_is_not_valid_yet_is_an_error(self) -> None:
        options = self.options(not_before=self.now + timedelta(days=1))
        with self.assertRaisesRegex(ValueError, "is not valid yet"):
            certificate_check.check_date(options)

    def test_one_in_a_context_is_looked_at_too(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(**self.options(not_after=self.now - timedelta(days=1)))
        with self.assertRaisesRegex(ValueError, "in <ssl.SSLContext object .* has expired"):
            certificate_check.check_date(context)

    def test_a_server_that_asks_for_certificates_is_looked_at_too(self) -> None:
        expired = self.options(not_after=self.now - timedelta(days=1))
        asking = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": bundled_certificate.AUTHORITY}
        with self.assertRaisesRegex(ValueError, "has expired"):
            certificate_check.check_date({**expired, **asking})
        for paths, is_refused in (expired, True), (self.options(), False):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(**paths)
            context.load_verify_locations(bundled_certificate.AUTHORITY)
            context.verify_mode = ssl.CERT_REQUIRED
            with self.subTest(is_refused=is_refused), contextlib.ExitStack() as stack:
                if is_refused:
                    stack.enter_context(self.assertRaisesRegex(ValueError, "has expired"))
                certificate_check.check_date(context)

    def test_any_other_fault_is_not_about_dates(self) -> None:
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asking.load_cert_chain(**self.options())
        asking.verify_mode = ssl.CERT_REQUIRED
        asking.maximum_version = ssl.TLSVersion.TLSv1_2
        faulty: tuple[Any, ...] = (
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),  # without a certificate
            asking,
            {**self.options(), "keyfile": bundled_certificate.KEY},
            {"certfile": "/nowhere"},
            {**self.options(), "unknown": 1},
            {**self.options(), "ciphers": "none"},
        )
        for options in faulty:
            with self.subTest(options=options):
                certificate_check.check_date(options)

    def test_a_callback_of_the_test_is_not_called(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(**self.options())
        context.sni_callback = mock.Mock()
        certificate_check.check_date(context)
        context.sni_callback.assert_not_called()

    def test_a_suite_learns_of_it_unless_it_does_not_verify(self) -> None:
        options = self.options(not_after=self.now - timedelta(days=1))

        class Sample(AsyncHTTPSTestCase):
            def get_app(self) -> web.Application:
                return web.Application([("/", web.RedirectHandler, {"url": "/"})], log_function=lambda handler: None)

            def get_ssl_options(self) -> dict[str, Any]:
                return options

            def test(self) -> None:
                self.fetch("/")

            def test_unverified(self) -> None:
                self.assertEqual(self.fetch("/", validate_cert=False, follow_redirects=False).code, 301)

        self.assertRegex(run_case(Sample).report, "ValueError: The certificate '.*own.crt' of the server has expired")
        result = run_case(Sample, "test_unverified")
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_what_counts_is_what_the_server_serves(self) -> None:
        options = self.options()

        class Sample(AsyncHTTPSTestCase):
            def get_app(self) -> web.Application:
                return web.Application(log_function=lambda handler: None)

            def get_httpserver_options(self) -> dict[str, Any]:
                return {"ssl_options": options}

            def test(self) -> None:
                self.assertEqual(self.fetch("/").code, 404)

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class WrongClockTest(AsyncTestCase):
    """A machine whose clock is wrong learns of that, also where a client verifies."""

    async def test_the_error_of_the_client_says_what_time_it_is(self) -> None:
        authority = trustme.CA()
        now = datetime.now(UTC)
        certificate = authority.issue_cert("127.0.0.1", not_after=now - timedelta(days=1))
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate.private_key_and_cert_chain_pem.write_to_path(f"{folder}/server.pem")
        authority.cert_pem.write_to_path(f"{folder}/authority.pem")
        arguments: dict[str, Any] = {"ca_certs": f"{folder}/authority.pem", "validate_cert": True}
        server = HTTPTestServer(web.Application(), ssl_options={"certfile": f"{folder}/server.pem"})
        async with server:
            with ExpectLog("tornado.general", "SSL Error"):
                for request in server.fetch("/", **arguments), server.ws_connect("/", **arguments):
                    with self.assertRaisesRegex(ssl.SSLCertVerificationError, "has expired") as caught:
                        await request
                    notes = [note for note in caught.exception.__notes__ if "clock" in note]
                    self.assertEqual(len(notes), 1)
                    self.assertRegex(notes[0], rf"clock of this machine shows {now:%Y-}.*: set it if that is wrong")


class OptionsOfTheServerTest(AsyncHTTPSTestCase):
    """A server has the very ``ssl_options`` that it was given, and our certificate is read once all the same."""

    def get_app(self) -> web.Application:
        return web.Application(log_function=lambda handler: None)

    def get_ssl_options(self) -> dict[str, Any]:
        self.given = super().get_ssl_options()
        return self.given

    def test_they_are_those_that_it_was_given(self) -> None:
        self.assertIs(self.http_server.ssl_options, self.given)
        self.assertEqual(self.given, {"certfile": bundled_certificate.CERTIFICATE, "keyfile": bundled_certificate.KEY})

    def test_our_certificate_is_read_once(self) -> None:
        self.fetch("/")
        with mock.patch.object(ssl.SSLContext, "load_cert_chain") as read:
            self.assertEqual(self.fetch("/").code, 404)
        read.assert_not_called()

    def test_they_count_at_each_connection(self) -> None:
        self.assertEqual(self.fetch("/").code, 404)
        self.given.update(cert_reqs=ssl.CERT_REQUIRED, ca_certs=self.ca_certs)
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaises((OSError, HTTPError)):
            self.fetch("/")
        self.assertNotIn("cert_reqs", AsyncHTTPSTestCase.default_ssl_options())

    def test_a_context_is_the_one_that_was_given(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bundled_certificate.CERTIFICATE, bundled_certificate.KEY)

        class Sample(AsyncHTTPSTestCase):
            def get_app(self) -> web.Application:
                return web.Application(log_function=lambda handler: None)

            def get_ssl_options(self) -> Any:
                return context

            def test(self) -> None:
                self.assertIs(self.http_server.ssl_options, context)
                self.assertEqual(self.fetch("/").code, 404)

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class TrustingClientTest(AsyncHTTPSTestCase):
    """Clients that verify nothing: with Tornado, each request loads the CA certificates of the system in vain."""

    def get_app(self) -> web.Application:
        return web.Application([("/", web.RedirectHandler, {"url": "/"})], log_function=lambda handler: None)

    def setUp(self) -> None:
        super().setUp()
        self.fetch("/", follow_redirects=False)  # Tornado reads some files only once
        self.read = self.enterContext(mock.patch.object(ssl.SSLContext, "load_default_certs"))

    async def fetch_by_own_client(self, **options: Any) -> int:
        client = SimpleAsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})
        try:
            response = await client.fetch(self.get_url("/"), follow_redirects=False, raise_error=False, **options)
            return response.code
        finally:
            client.close()

    async def test_they_do_not_read_them(self) -> None:
        self.assertEqual(await self.fetch_by_own_client(), 301)
        response = await self.fetch("/", validate_cert=False, follow_redirects=False)
        self.assertEqual((response.code, self.read.mock_calls), (301, []))

    async def test_each_request_has_a_context_of_its_own(self) -> None:
        make = bundled_certificate.trusting_context
        with mock.patch.object(bundled_certificate, "trusting_context", side_effect=make) as made:
            for _ in range(2):
                await self.fetch_by_own_client()
        self.assertEqual(made.call_count, 2)
        self.assertIsNot(make(), make())

    async def test_one_that_has_a_certificate_gets_what_tornado_makes(self) -> None:
        paths = bundled_certificate.server_options()
        self.assertEqual(
            await self.fetch_by_own_client(client_cert=paths["certfile"], client_key=paths["keyfile"]), 301
        )
        self.read.assert_called_once()

    async def test_outside_of_tests_they_get_what_tornado_makes(self) -> None:
        self.assertEqual(await asyncio.to_thread(asyncio.run, self.fetch_by_own_client()), 301)
        self.read.assert_called_once()
