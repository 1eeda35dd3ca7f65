# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module key_escrow, around :mod:`.._keystore.escrow` and :mod:`.._keystore.documents`."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any, Dict, List, Mapping, Optional

from .._core.errors import StoreUnavailable
from .._core.state.store import Store
from .._keystore.documents import Documents, holds_secret, shown, write_secret
from .._keystore.escrow import Escrow
from .._keystore.jwk import PublicKey
from .._keystore.ledger import Ledger
from .contract import Contract, Outcome, Request
from .key_store_options import KEY_STORE_OPTION, key_store_of
from .state_options import STATE_ARGUMENTS, store_of


def run(request: Request) -> Outcome:
    """A machine's key and its documents, or a recovery key in a file."""
    params = request.params
    with store_of(params, make=not request.check_mode) as state, closing(key_store_of(params["store"])) as keys:
        _refuse_transient(state)
        ledger = Ledger(state)
        escrow = Escrow(keys, ledger)
        documents = Documents(params["documents"], escrow)
        documents.require()
        if params["state"] == "recovered":
            return _recovered(request, documents)
        return _present(request, escrow, ledger, documents)


def _present(request: Request, escrow: Escrow, ledger: Ledger, documents: Documents) -> Outcome:
    params, fru = request.params, request.params["fru"]
    before = _known(ledger, documents, fru)
    made = ledger.present_key(fru) is None
    key: Optional[PublicKey] = None
    if not (made and request.check_mode):
        key = escrow.make_key(fru)
    new: List[bytes] = []
    if key is not None:
        texts = [json.dumps(one, sort_keys=True, separators=(",", ":")).encode() for one in params["kept"]]
        new = [text for text in texts if not documents.is_kept(text, fru=fru)]
    retired = documents.retire(params["retired"], fru=fru, dry=True)
    if not request.check_mode:
        for text in new:
            documents.keep(text, fru=fru)
        documents.retire(params["retired"], fru=fru)
    after = _known(ledger, documents, fru)
    if request.check_mode:
        gone = [one for one in before["documents"] if one["salt_fingerprint"] in retired]
        after = {
            "key": before["key"] or "a new one",
            "documents": [one for one in before["documents"] if one not in gone] + ["a new one" for _text in new],
        }
    noun: Dict[str, Any] = {
        "fru": fru,
        "public_key": key.as_dict() if key is not None else None,
        "documents": _known(ledger, documents, fru)["documents"],
        "retired": retired,
        "file": None,
    }
    return Outcome(bool(made or new or retired), {"key_escrow": noun}, before, after)


def _recovered(request: Request, documents: Documents) -> Outcome:
    params = request.params
    kept, secret = documents.unwrapped(
        fru=params["fru"],
        luks_uuid=params["luks_uuid"],
        salt_fingerprint=(params["salt_fingerprint"] or "").lower(),
    )
    changed = not holds_secret(params["file"], secret)
    if changed and not request.check_mode:
        write_secret(params["file"], secret)
    noun = {
        "fru": params["fru"],
        "public_key": None,
        "documents": [shown(kept)],
        "retired": [],
        "file": params["file"],
    }
    return Outcome(changed, {"key_escrow": noun})


def _known(ledger: Ledger, documents: Documents, fru: str) -> Dict[str, Any]:
    key = ledger.present_key(fru)
    found: List[Mapping[str, object]] = [shown(kept) for kept in documents.of(fru)]
    return {"key": key.kid if key is not None else "", "documents": found}


def _refuse_transient(state: Store) -> None:
    if not state.persistent:
        raise StoreUnavailable(
            f"The ledger of keys is not kept in this state store: {state.why_not_persistent}.",
            expected="a state store that outlives this run",
            found=state.why_not_persistent,
            where=state.location,
            next="Point hearth_state at a mounted volume or at PostgreSQL. If this disk does stay, say so:"
            f" hearth_state: sqlite://{state.location}?persistent=yes",
        )


KEY_ESCROW = Contract(
    "key_escrow",
    run,
    argument_spec={
        "state": {"type": "str", "choices": ["present", "recovered"], "default": "present"},
        "fru": {"type": "str", "required": True},
        "store": KEY_STORE_OPTION,
        "documents": {"type": "path", "required": True},
        "kept": {"type": "list", "elements": "dict", "default": []},
        "retired": {"type": "list", "elements": "str", "default": []},
        "luks_uuid": {"type": "str"},
        "salt_fingerprint": {"type": "str"},
        "file": {"type": "path"},
        **STATE_ARGUMENTS,
    },
    required_if=(("state", "recovered", ("luks_uuid", "file")),),
)
