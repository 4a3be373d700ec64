"""How an answer came to be.

`timeline` records the steps of a call to a platform; `explanation` is the JSON that callers get. What puts them
together is `gateway.platforms.lookup.explainer`.
"""
