import asyncio
import ssl
import tempfile
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import trustme
from tornado import web
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from asynctest_tornado import AsyncHTTPSTestCase, _tls
from tests.support import run_case


class CertificateTest(unittest.TestCase):
    def certificate(self, path: str) -> dict[str, object]:
        # The only decoder of the standard library, private but used by everybody who needs one.
        return ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined,no-any-return]

    def test_it_is_valid_for_decades(self) -> None:
        for path in _tls.AUTHORITY, _tls.CERTIFICATE:
            end = ssl.cert_time_to_seconds(str(self.certificate(path)["notAfter"]))
            self.assertGreater(datetime.fromtimestamp(end) - datetime.now(), timedelta(days=30 * 365))

    def test_it_is_for_this_machine_only(self) -> None:
        names = self.certificate(_tls.CERTIFICATE)["subjectAltName"]
        self.assertEqual(names, (("DNS", "localhost"), ("IP Address", "127.0.0.1"), ("IP Address", "0:0:0:0:0:0:0:1")))

    def test_the_key_belongs_to_it(self) -> None:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(_tls.CERTIFICATE, _tls.KEY)


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
        _tls.check_date(self.options())
        _tls.check_date(_tls.server_options())

    def test_one_that_has_expired_is_an_error_that_names_it(self) -> None:
        options = self.options(not_after=self.now - timedelta(days=1))
        with self.assertRaisesRegex(ValueError, "own.crt' of the server has expired.*Renew it, .*validate_cert=False"):
            _tls.check_date(options)

    def test_one_that_is_not_valid_yet_is_an_error(self) -> None:
        options = self.options(not_before=self.now + timedelta(days=1))
        with self.assertRaisesRegex(ValueError, "is not valid yet"):
            _tls.check_date(options)

    def test_one_in_a_context_is_looked_at_too(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(**self.options(not_after=self.now - timedelta(days=1)))
        with self.assertRaisesRegex(ValueError, "in <ssl.SSLContext object .* has expired"):
            _tls.check_date(context)

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


class SharedTest(unittest.TestCase):
    def test_our_certificate_is_read_once(self) -> None:
        self.assertIs(_tls.shared(_tls.server_options()), _tls.shared(_tls.server_options()))
        self.assertIsInstance(_tls.shared(_tls.server_options()), ssl.SSLContext)

    def test_any_other_options_are_those_of_the_suite(self) -> None:
        for options in {"certfile": "mine.crt"}, {**_tls.server_options(), "ssl_version": 1}, None:
            self.assertIs(_tls.shared(options), options)


class TrustingClientTest(AsyncHTTPSTestCase):
    """Clients that verify nobody: Tornado lets each request read the authorities of the system, for nothing."""

    def get_app(self) -> web.Application:
        return web.Application([("/", web.RedirectHandler, {"url": "/"})], log_function=lambda handler: None)

    def setUp(self) -> None:
        super().setUp()
        self.fetch("/", follow_redirects=False)  # for what Tornado reads but once
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
        make = _tls.trusting_context
        with mock.patch.object(_tls, "trusting_context", side_effect=make) as made:
            for _ in range(2):
                await self.fetch_by_own_client()
        self.assertEqual(made.call_count, 2)
        self.assertIsNot(make(), make())

    async def test_one_that_has_a_certificate_gets_what_tornado_makes(self) -> None:
        paths = _tls.server_options()
        self.assertEqual(
            await self.fetch_by_own_client(client_cert=paths["certfile"], client_key=paths["keyfile"]), 301
        )
        self.read.assert_called_once()

    async def test_outside_of_tests_they_get_what_tornado_makes(self) -> None:
        self.assertEqual(await asyncio.to_thread(asyncio.run, self.fetch_by_own_client()), 301)
        self.read.assert_called_once()
