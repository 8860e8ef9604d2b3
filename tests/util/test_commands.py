import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.support import clean_environment, run_python

SOURCE = """
import asyncio, unittest
from asynctest_tornado import AsyncTestCase

class Race(AsyncTestCase):
    schedules = "all:1"
    async def test(self):
        names = []
        async def work(name):
            await asyncio.sleep(0)
            names.append(name)
        await asyncio.gather(work("a"), work("b"))
        if names != ["a", "b"]:
            self.left = asyncio.ensure_future(asyncio.sleep(1000))

setattr(Race, "test it's $HOME", Race.test)

def load_tests(loader, tests, pattern):
    class Local(Race):
        async def test_local(self):
            await super().test()
    return unittest.TestSuite([tests, Local("test_local")])

if __name__ == "__main__":
    unittest.main()
"""


class CommandsTest(unittest.TestCase):
    """The commands in reports, for a shell."""

    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder = self.root / "my tests"
        self.folder.mkdir()
        (self.folder / "test_race.py").write_text(SOURCE)
        (self.root / "pytest.ini").write_text("[pytest]\n")

    def replays(self, *arguments: str, cwd: Path, **environment: str) -> list[str]:
        """Run tests that fail, and each command for that in their reports; return the commands."""
        done = run_python(*arguments, cwd=cwd, **environment)
        commands = re.findall(r"ASYNC_TEST_ORDER=\S+ .*", done.stdout + done.stderr)
        for command in commands:
            shell = f'python() {{ "{sys.executable}" "$@"; }}\n{command}'
            again = subprocess.run(
                ["sh", "-c", shell], cwd=cwd, env=clean_environment(**environment), capture_output=True, text=True
            )
            with self.subTest(command):
                self.assertEqual(again.returncode, 1, again.stdout + again.stderr)
                self.assertIn("left these resources open", again.stdout + again.stderr)
        return sorted(command.partition(" ")[2] for command in commands)

    def test_a_module_that_discovery_has_found_in_another_folder(self) -> None:
        options = ("--leaks=fail", "--timeout=7")
        found = self.replays(
            "-X", "dev", "-m", "asynctest_tornado", *options, "discover", "-s", "my tests", cwd=self.root
        )
        begin = "ASYNC_TEST_TIMEOUT=7 ASYNC_TEST_LEAKS=fail PYTHONPATH='my tests' python -Xdev -m unittest "
        self.assertEqual(
            found,
            [
                f"{begin}'test_race.Race.test it'\"'\"'s $HOME'",
                f"{begin}test_race -k 'test_race.load_tests.<locals>.Local.test_local'",
                f"{begin}test_race.Race.test",
            ],
        )

    def test_a_test_case_of_pytest(self) -> None:
        options = ("-W", "error::ResourceWarning", "-p", "no:cacheprovider", "-k", "not HOME")
        found = self.replays("-m", "pytest", *options, cwd=self.folder)
        self.assertEqual(found, ["python -m pytest -W error::ResourceWarning test_race.py::Race::test"])
