"""What can be wrong with a place or a file in it."""


class Unreadable(Exception):
    """Why there is nothing to show, in one line for whoever looks at the page; holds no secret."""


class Missing(Exception):
    """There is no such file."""
