"""The answers to requests that the shop refuses."""

from tornado.web import HTTPError


class Refusal(HTTPError):
    """An answer with an explanation, for people to read."""

    def __init__(self, status_code: int, explanation: str) -> None:
        super().__init__(status_code)
        self.explanation = explanation
