"""The names of what stands in the data folder beside the databases."""

TOKEN_FILE = "operator-token"
PASSWORD_KEY_FILE = "password-key"
PAGES_KEY_FILE = "pages-key"
"""Signs the pages' cookies and the guests' personal links."""
WHERE_FILE = "http-address"
"""Where the running service is reached: the CLI reads it, so that it needs no options on the same machine."""
