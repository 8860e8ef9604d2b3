"""Recipes: one file for each question, which runs by itself when it is copied from its page."""
