"""The seven mistakes under pytest-asyncio and anyio."""

import pytest

from docs.examples.mistakes import MISTAKES

each_mistake = pytest.mark.parametrize("mistake", MISTAKES)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.asyncio
@each_mistake
async def test_of_pytest_asyncio(mistake):
    await mistake()


@pytest.mark.anyio
@each_mistake
async def test_of_anyio(mistake):
    await mistake()
