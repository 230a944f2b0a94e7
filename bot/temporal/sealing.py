"""What do we send that a worker of ours can tell from what others write into Temporal?

All that a person asks for, decides or instructs is sealed right before it is sent; without a key
it goes as it is. A start bears the time at which it was sealed, for it counts no longer than some
minutes; the others bear theirs already.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from workflows.model.plan import DECISION_SEAL, INSTRUCTION_SEAL, START_SEAL, start_parts
from workflows.model.requests import Decision, Instruction, LifecycleRequest, Replacement
from workflows.model.seal import SealKeys


def sealed_start(keys: SealKeys, request: LifecycleRequest) -> LifecycleRequest:
    """Seal what starts a request, now."""
    if not keys:
        return request
    request = replace(request, sealed_at=datetime.now(UTC))
    return replace(request, seal=keys.seal(START_SEAL, *start_parts(request)))


def sealed(
    keys: SealKeys, message: Decision | Instruction | Replacement
) -> Decision | Instruction | Replacement:
    """Seal what is sent to a request that is there."""
    if not keys:
        return message
    match message:
        case Decision():
            return _sealed_decision(keys, message)
        case Instruction():
            return replace(message, seal=keys.seal(INSTRUCTION_SEAL, message))
        case Replacement(decision=decision, request=request):
            return Replacement(
                decision=_sealed_decision(keys, decision), request=sealed_start(keys, request)
            )


def _sealed_decision(keys: SealKeys, decision: Decision) -> Decision:
    return replace(decision, seal=keys.seal(DECISION_SEAL, decision))
