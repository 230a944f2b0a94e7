"""Is a name that people or machines hand back read as it was given, and a forged one refused?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from workflows.model.names import (
    CONTAINER,
    CONTAINER_NAME,
    RequestAddress,
    button_value,
    indexed_name,
    parse_button_value,
    request_attributes,
    request_workflow_id,
)


def test_button_value_round_trip() -> None:
    """A button's value is read back, and a forged one is refused."""
    address = RequestAddress(request_id="0123456789ab", host="local", container="web-1")
    value = button_value(address)
    assert parse_button_value(value) == address
    seen = replace(address, plan_hash=64 * "0")
    assert parse_button_value(button_value(seen)) == seen
    more = f"{button_value(seen)} more"
    for forged in ("", "x", "0123456789ab local ../x", f"{value} more", f"{value} ", more):
        with pytest.raises(ValueError, match="button"):
            parse_button_value(forged)


@pytest.mark.parametrize("length", [2, 180, 255, 260, 900, 20_000])
def test_a_name_of_any_length_leads_to_its_own_request(length: int) -> None:
    """Ids, lists and buttons have little room: what is cut is still told from all others."""
    name, host = "n" * length, "h" * 63
    workflow_id = request_workflow_id(host, name)
    assert len(workflow_id) <= 255
    assert (name in workflow_id) == (length <= 180)
    assert workflow_id != request_workflow_id(host, f"{name}x")
    address = parse_button_value(
        button_value(RequestAddress(request_id="0123456789ab", host=host, container=name))
    )
    assert len(button_value(address)) <= 2000
    assert address.workflow_id == workflow_id
    attributes = request_attributes(
        host=host, container=name, requester="UALICE", request_id="0123456789ab"
    )
    listed = {pair.key.name: pair.value for pair in attributes.search_attributes}
    assert request_workflow_id(host, str(listed[CONTAINER.name])) == workflow_id


def test_a_name_that_was_cut_is_the_name_of_no_container() -> None:
    """So it can never be taken for one, and stays what it is."""
    cut = indexed_name("n" * 300)
    assert CONTAINER_NAME.fullmatch(cut) is None
    assert indexed_name(cut) == cut
