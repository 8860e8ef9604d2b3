"""Certificates that this library signs itself: OpenSSL accepts them, by its strict rules."""

import ssl
import unittest
from typing import Any

from asynctest_tornado._tls import issued_certificates


def presented(names: tuple[str, ...], hostname: str, **options: bool) -> Any:
    """Return the certificate that a client of a host gets."""
    server = issued_certificates.server_context(names, **options)
    client = issued_certificates.trusting_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=hostname)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for each in (one, other, one):
        try:
            each.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return one.getpeercert()


class CertificateTest(unittest.TestCase):
    def test_names_and_addresses(self) -> None:
        names = ("a.example", "*.b.example", "198.18.0.2", "::1", "bücher.example")
        for host in "a.example", "x.b.example", "198.18.0.2", "::1", "xn--bcher-kva.example":
            certificate = presented(names, host)
        self.assertEqual(certificate["subject"], ((("commonName", "a.example"),),))
        self.assertEqual(
            certificate["subjectAltName"],
            (
                ("DNS", "a.example"),
                ("DNS", "*.b.example"),
                ("IP Address", "198.18.0.2"),
                ("IP Address", "0:0:0:0:0:0:0:1"),
                ("DNS", "xn--bcher-kva.example"),
            ),
        )

    def test_many_names(self) -> None:
        names = tuple(f"{number}.example" for number in range(200))
        self.assertEqual(len(presented(names, "199.example")["subjectAltName"]), 200)

    def test_other_names(self) -> None:
        with self.assertRaises(ssl.SSLCertVerificationError) as caught:
            presented(("a.example",), "b.example")
        self.assertEqual(caught.exception.verify_code, 62)

    def test_its_time(self) -> None:
        with self.assertRaises(ssl.SSLCertVerificationError) as caught:
            presented(("a.example",), "a.example", is_expired=True)
        self.assertEqual(caught.exception.verify_code, 10)
        with self.assertRaises(ssl.SSLCertVerificationError) as caught:
            presented(("a.example",), "a.example", is_known=False)
        self.assertEqual(caught.exception.verify_code, 20)
        certificate = presented(("a.example",), "a.example")
        self.assertEqual(certificate["notBefore"], "Jan  1 00:00:00 1970 GMT")
        self.assertEqual(certificate["notAfter"], "Jan  1 00:00:00 2126 GMT")

    def test_each_signature_is_right(self) -> None:
        for number in range(20):
            self.assertTrue(presented((f"{number}.example",), f"{number}.example"))

    def test_a_name_that_cannot_be_in_one(self) -> None:
        for name in "a" * 64 + ".bü", "\ud800.example":
            with self.assertRaisesRegex(ValueError, "cannot be in a certificate"):
                issued_certificates.server_context((name,))

    def test_no_system_trusts_it(self) -> None:
        certificate = ssl.create_default_context()
        self.assertNotIn("asynctest_tornado", repr(certificate.get_ca_certs()))
