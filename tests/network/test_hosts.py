"""The table of hosts: which URLs name one, its address, its port."""

import unittest
from typing import Any

from tornado import web

from asynctest_tornado._network import hosts
from asynctest_tornado._network.hosts import Hosts, Site
from asynctest_tornado._network.served_host import ServedHost


def host(url: str) -> ServedHost:
    return ServedHost(hosts.parse(url), web.Application([]), {})


def added(url: str) -> tuple[Hosts, ServedHost]:
    table, served = Hosts(), host(url)
    table.add(hosts.parse(url), served)
    return table, served


class ParseTest(unittest.TestCase):
    def test_a_scheme_has_its_usual_port(self) -> None:
        for url, site in (
            ("http://payments.example", Site("http", "payments.example", 80)),
            ("HTTPS://Payments.Example./", Site("https", "payments.example", 443)),
            ("ws://chat:8080", Site("ws", "chat", 8080)),
            ("wss://chat", Site("wss", "chat", 443)),
            ("tcp://cache:6379", Site("tcp", "cache", 6379)),
            ("http://bücher.example", Site("http", "xn--bcher-kva.example", 80)),
            ("http://10.0.0.7:8080", Site("http", "10.0.0.7", 8080)),
            ("http://[2001:db8::7]:81", Site("http", "2001:db8::7", 81)),
        ):
            self.assertEqual(hosts.parse(url), site)

    def test_the_url_has_no_usual_port_and_no_path(self) -> None:
        for url, base in (
            ("http://Payments.example/", "http://payments.example"),
            ("https://payments.example:443", "https://payments.example"),
            ("https://payments.example:80", "https://payments.example:80"),
            ("tcp://cache:6379", "tcp://cache:6379"),
            ("http://[2001:db8::7]:81", "http://[2001:db8::7]:81"),
        ):
            self.assertEqual(hosts.parse(url).url, base)

    def test_a_wrong_url_is_an_error_that_shows_the_right_one(self) -> None:
        self.assert_wrong("payments.example", "which has no scheme. Write the URL as in 'https://payments.example'")
        self.assert_wrong("payments.example:80", "which has no scheme")
        self.assert_wrong("ftp://payments.example", "whose scheme is 'ftp'. Write the URL as in")
        self.assert_wrong("http://", "which names no host. Write the URL as in")
        self.assert_wrong("http://:80", "which names no host")
        self.assert_wrong("http://x:99999", "Port out of range 0-65535. Write the URL as in")
        self.assert_wrong("http://x:0", "whose port is 0. Write the port that the application connects to.")
        self.assert_wrong(
            "http://x/charge", "has a path, 'charge': all requests to a host go to its application. Write"
        )
        self.assert_wrong("http://x:81/?a=b", "has a query, 'a=b': .* Write 'http://x:81', and")
        self.assert_wrong("http://x#part", "has a fragment, 'part'")
        self.assert_wrong("http://user:secret@x:81", "has a user, 'user:secret': .* Write 'http://x:81', and")
        self.assert_wrong("tcp://cache", "has no port, and tcp has none of its own. Write it, as in 'tcp://cache:6379'")
        with self.assertRaisesRegex(TypeError, r"got 5, which is no URL. Write one, as in network.serve\('https:"):
            hosts.parse(5)  # type: ignore[arg-type]

    def test_this_computer_cannot_be_served(self) -> None:
        for name in ("localhost", "shop.localhost", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "ip6-localhost"):
            self.assert_wrong(f"http://{name}:80", "is this computer itself, .* or use HTTPTestServer for a local port")

    def assert_wrong(self, url: str, message: str) -> None:
        with self.assertRaisesRegex(ValueError, message) as caught:
            hosts.parse(url)
        self.assertTrue(str(caught.exception).startswith(f"network.serve() got {url!r}"))


class TableTest(unittest.TestCase):
    def test_each_name_has_an_address_that_is_reserved_for_tests(self) -> None:
        table = Hosts()
        addresses = [table.address_for(name) for name in ("a", "b", "a", "10.0.0.7", "2001:DB8::7")]
        self.assertEqual(addresses, ["198.18.0.2", "198.18.0.3", "198.18.0.2", "10.0.0.7", "2001:db8::7"])
        self.assertEqual(table.address_of(b"B."), "198.18.0.3")
        self.assertIsNone(table.address_of("c"))
        self.assertIsNone(table.address_of(None))

    def test_several_ports_of_a_name_are_several_hosts(self) -> None:
        table, first = added("http://payments.example")
        table.check_is_free(hosts.parse("http://payments.example:81"))
        second = host("http://payments.example:81")
        table.add(hosts.parse("http://payments.example:81"), second)
        self.assertEqual([table.at("198.18.0.2", port) for port in (80, 81)], [first, second])

    def test_a_host_cannot_be_served_twice_but_again_after_its_stop(self) -> None:
        table, served = added("http://payments.example")
        for url in ("http://payments.example", "ws://PAYMENTS.example:80"):
            with self.assertRaisesRegex(ValueError, "serves http://payments.example there already. Give another name"):
                table.check_is_free(hosts.parse(url))
        served.stop()
        table.check_is_free(hosts.parse("http://payments.example"))

    def test_a_port_without_a_host_refuses(self) -> None:
        table, served = added("http://payments.example")
        with self.assertRaisesRegex(ConnectionRefusedError, "serves http://payments.example, and nothing at port 81"):
            table.at("198.18.0.2", 81)
        served.stop()
        with self.assertRaisesRegex(ConnectionRefusedError, r"payments.example:80 .*because stop\(\) of the host was"):
            table.at("198.18.0.2", 80)

    def test_a_name_is_allowed_with_its_port_or_with_all(self) -> None:
        table = Hosts()
        table.allow("db.internal:5432")
        table.allow("Mail.internal")
        table.allow("[2001:db8::7]:80")
        cases: list[tuple[Any, Any, bool]] = [
            ("DB.internal", 5432, True),
            (b"db.internal", 5432, True),
            ("db.internal", 80, False),
            ("mail.internal", 25, True),
            ("2001:db8::7", 80, True),
            (None, 80, False),
        ]
        for name, port, expected in cases:
            self.assertIs(table.is_allowed(name, port), expected, (name, port))

    def test_a_wrong_place_cannot_be_allowed(self) -> None:
        for place in ("", "a b", "http://db.internal", "db.internal:70000", "db.internal:x", "db/x:1"):
            with self.assertRaisesRegex(ValueError, "neither a name nor a name with a port. Write one, as"):
                Hosts().allow(place)
        with self.assertRaisesRegex(TypeError, r"got 5432, which is no text. Write a name and port, as in network"):
            Hosts().allow(5432)  # type: ignore[arg-type]
