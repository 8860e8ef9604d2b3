"""An application that logs."""

import logging

log = logging.getLogger("shop.orders")


def order(item):
    log.info("an order of %s", item)
    if item == "milk":
        log.warning("low on %s", item)
