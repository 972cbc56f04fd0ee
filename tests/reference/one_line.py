"""A wrong argument is answered with one line, a ValueError that names it."""

import re

import pytest


def raises_one_line(call, words):
    """Assert that a call raises a ValueError of one line that holds all the words."""
    with pytest.raises(ValueError, match=re.escape(words[0])) as caught:
        call()
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert "\n" not in message
