import ssl
import unittest
from datetime import datetime, timedelta

from asynctest_tornado import _tls


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


class ClientOptionsTest(unittest.TestCase):
    def test_the_client_verifies_our_certificate(self) -> None:
        self.assertEqual(_tls.client_options(_tls.server_options()), {"ca_certs": _tls.AUTHORITY})

    def test_the_client_does_not_verify_a_certificate_that_is_not_ours(self) -> None:
        for options in {"certfile": "mine.crt", "keyfile": "mine.key"}, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), None:
            self.assertEqual(_tls.client_options(options), {"validate_cert": False})
