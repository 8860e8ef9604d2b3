"""Names that belong to the first user who asks for them."""

import asyncio


class Registry:
    def __init__(self):
        self.owners = {}

    async def register(self, name, user):
        if name in self.owners:
            return False
        await asyncio.sleep(0.1)  # to look into the list of forbidden names
        self.owners[name] = user
        return True
