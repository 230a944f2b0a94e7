"""Is a name that people or machines hand back read as it was given, and a forged one refused?"""

from __future__ import annotations

import pytest

from workflows.model.names import RequestAddress, button_value, parse_button_value


def test_button_value_round_trip() -> None:
    """A button's value is read back, and a forged one is refused."""
    address = RequestAddress(request_id="0123456789ab", host="local", container="web-1")
    value = button_value(address)
    assert parse_button_value(value) == address
    for forged in ("", "x", "0123456789ab local ../x", value + " more"):
        with pytest.raises(ValueError, match="button"):
            parse_button_value(forged)
