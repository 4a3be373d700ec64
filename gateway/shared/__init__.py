"""What replicas share over Valkey or Redis: invalidations, throttle windows, logins and rates of callers.

It fails open: without the store every replica goes on by itself. Only refresh tokens are not used without it.
Nothing here is imported without `[shared]`.
"""
