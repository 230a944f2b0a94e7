"""Would Slack itself take this payload?

The local Slack takes anything. slack_sdk's models know the limits of each element; the rest,
which neither checks, stands here: how many, how much in all, and that ids are not used twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

MAX_BLOCKS = {"message": 50, "view": 100}
MAX_TEXT = 40_000
#: Slack refuses near 13,200 characters of blocks without saying so anywhere; we keep below.
MAX_TOTAL = 10_000
_MAX_SECTION = 3000
_MAX_FIELD = 2000
_MAX_FIELDS = 10
_MAX_CONTEXT_ELEMENTS = 10
_MAX_ACTIONS = 25
_MAX_VIEW = 250_000
_LENGTHS = {"block_id": 255, "action_id": 255, "value": 2000, "accessibility_label": 75}

_WITH_BLOCKS = frozenset({"chat.postMessage", "chat.update", "chat.postEphemeral"})
_WITH_VIEW = frozenset({"views.open", "views.update", "views.push", "views.publish"})


def problems(method: str, payload: Mapping[str, Any]) -> list[str]:
    """List what is wrong with the payload of a call."""
    if method in _WITH_BLOCKS:
        return _message_problems(method, payload)
    if method in _WITH_VIEW:
        return _view_problems(_parsed(payload.get("view")) or {})
    return []


def block_problems(blocks: Sequence[Mapping[str, Any]], kind: str = "message") -> list[str]:
    """List what is wrong with the blocks of a message or a view."""
    found = _model_problems(blocks)
    if len(blocks) > MAX_BLOCKS[kind]:
        found.append(f"{len(blocks)} blocks")
    found += [f"block_id {i} twice" for i in _doubles(b.get("block_id") for b in blocks)]
    for block in blocks:
        elements = [e for e in block.get("elements", []) if isinstance(e, Mapping)]
        found += [f"action_id {i} twice" for i in _doubles(e.get("action_id") for e in elements)]
        found += _size_problems(block, elements)
    found += [
        f"{name} of {len(value)} characters"
        for name, value in _strings(list(blocks))
        if len(value) > _LENGTHS.get(name, _MAX_SECTION)
    ]
    total = len(json.dumps(blocks, ensure_ascii=False))
    if kind == "message" and total > MAX_TOTAL:
        found.append(f"{total} characters of blocks")
    return found


def _message_problems(method: str, payload: Mapping[str, Any]) -> list[str]:
    blocks = _parsed(payload.get("blocks")) or []
    text = str(payload.get("text") or "")
    found = block_problems(blocks)
    if not text.strip():
        found.append("no text for notifications")
    if len(text) > MAX_TEXT:
        found.append(f"text of {len(text)} characters")
    if blocks and not all(block.get("block_id") for block in blocks):
        found.append("a block without a block_id")
    if method == "chat.postMessage" and payload.get("unfurl_links") not in (False, "0", "false"):
        found.append("links may unfold")
    if payload.get("link_names"):
        found.append("link_names makes mentions of words")
    return found


def _view_problems(view: Mapping[str, Any]) -> list[str]:
    found = block_problems(view.get("blocks") or [], "view")
    if len(json.dumps(view)) > _MAX_VIEW:
        found.append("a view of more than 250 kB")
    if view.get("type") == "modal" and len(view.get("title", {}).get("text", "")) > 24:
        found.append("a title of more than 24 characters")
    if len(view.get("private_metadata") or "") > _MAX_SECTION:
        found.append("private_metadata of more than 3000 characters")
    return found


def _model_problems(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    for block in blocks:
        parsed = Block.parse(dict(block))
        if parsed is None:
            found.append(f"no block: {block}")
            continue
        try:
            parsed.to_dict()
        except SlackObjectFormationError as error:
            found.append(f"{block.get('block_id')}: {error}")
    return found


def _size_problems(block: Mapping[str, Any], elements: Sequence[Mapping[str, Any]]) -> list[str]:
    fields = block.get("fields", [])
    most = _MAX_CONTEXT_ELEMENTS if block.get("type") == "context" else _MAX_ACTIONS
    found = [
        f"a field of {len(field['text'])} characters"
        for field in fields
        if len(field["text"]) > _MAX_FIELD
    ]
    if len(fields) > _MAX_FIELDS:
        found.append(f"{len(fields)} fields")
    if len(elements) > most:
        found.append(f"{len(elements)} elements")
    if block.get("type") == "section" and not (block.get("text") or fields):
        found.append("an empty section")
    found += [f"an empty text in {name}" for name, v in _strings(block) if name == "text" and not v]
    return found


def _strings(part: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield name, part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _strings(value, key)
    elif isinstance(part, Sequence):
        for value in part:
            yield from _strings(value, name)


def _doubles(ids: Iterator[Any]) -> list[str]:
    return [i for i, count in Counter(i for i in ids if i).items() if count > 1]


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
