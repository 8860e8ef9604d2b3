"""Tests whose error surfaces when they are over; each module for another moment."""
