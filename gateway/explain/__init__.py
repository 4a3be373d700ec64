"""How an answer came to be.

`trail` is what a call meets on its way, noted for whoever may want to know; `account` what a lookup says of itself
while it goes on; `story` the account of one who does want to know; `explanation` the story as callers get it.
"""
