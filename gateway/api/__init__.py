"""HTTP as callers see it: routes, middleware, and what they share. Nothing here knows a platform by name."""
