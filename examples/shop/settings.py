"""The settings of the shop, which are a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings, by their names in the file."""

    cookie_secret: str
    #: The OAuth provider, and the name and password that the shop has there.
    provider: str
    client_id: str
    client_secret: str
    #: The users who may change products.
    managers: tuple[str, ...] = ()
    #: Seconds after which the content of an untouched basket goes back on the shelf, and between two looks for that.
    basket_seconds: float = 900
    sweep_seconds: float = 60
    #: Bytes.
    largest_picture: int = 1_000_000


def read(path: Path) -> Settings:
    """Read a file. Raises ``OSError``, or ``ValueError`` if it is malformed."""
    try:
        with path.open("rb") as file:
            return Settings(**tomllib.load(file))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
