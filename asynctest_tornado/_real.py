"""The time of the computer, whatever a test makes of the module ``time``."""

import functools
import time

__unittest = True

# Not the functions themselves: freezegun looks for these in all modules, and puts its own in their place.
monotonic = functools.partial(time.monotonic)
sleep = functools.partial(time.sleep)
wall_time = functools.partial(time.time)
