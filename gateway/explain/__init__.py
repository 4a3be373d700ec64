"""How an answer came to be.

`timeline` is what a call meets on its way, noted for whoever may want to know; `observer` what a lookup says of itself
while it goes on; `explainer` the account of one who does want to know; `explanation` the story as callers get it.
"""
