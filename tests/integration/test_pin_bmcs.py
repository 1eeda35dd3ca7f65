# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/pin_bmcs.yml: an operator lists fingerprints, or confirms each at a terminal; nothing else is pinned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder
from tests.integration.playbook_run import PlaybookFolder
from tests.integration.terminal import answer

PLAYBOOK = "hearth.datacenter.pin_bmcs"
KEYS = {name: f"spki-sha256:{number:02x}" + "ab" * 31 for number, name in enumerate(("new1", "new2", "moved"))}
OLD_KEY = "spki-sha256:" + "0d" * 32


def bmc(name: str, last: int, **more: Any) -> dict[str, Any]:
    record = {
        "address": f"127.44.1.{last}",
        "port": 443,
        "vendor": "Acme",
        "product": "X1",
        "state": "unpinned",
        "fingerprint": {"spki_sha256": KEYS[name].partition(":")[2], "cert_sha256": "ff" * 32},
        "error": {"type": "PinUnknown", "expected": "a pin in the map or in the state store"},
    }
    return {"hearth_bmc": {**record, **more}}


# What discovery leaves: two new BMCs, one whose key changed, and one that answers IPMI only.
UNPINNED = {
    "new1": bmc("new1", 1),
    "new2": bmc("new2", 2, product="{ { lookup('pipe', 'touch owned') } }"),
    "moved": bmc("moved", 3, error={"type": "PinMismatch", "expected": OLD_KEY, "found": KEYS["moved"]}),
    "ipmi": bmc("new1", 4, fingerprint={"spki_sha256": "", "cert_sha256": ""}, protocol="ipmi"),
}


@pytest.fixture
def folder(tmp_path: Path) -> PlaybookFolder:
    made = PlaybookFolder(tmp_path)
    inventory = {"all": {"children": {"bmc_unpinned": {"hosts": UNPINNED}}, "vars": {"hearth_state": made.store}}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    with open_store(made.store) as store:
        store.record_pin("127.44.1.3:443", OLD_KEY)
    return made


def pins(folder: PlaybookFolder) -> dict[str, str]:
    """Host name → pinned key, of those that are pinned now."""
    names = {f"{host['hearth_bmc']['address']}:443": name for name, host in UNPINNED.items()}
    with open_store(folder.store) as store:
        return {names[address]: pin.key for address, pin in store.pins().items()}


def test_without_a_terminal_and_a_list_nothing_is_pinned_and_it_says_why(folder: PlaybookFolder) -> None:
    ran = folder.playbook(PLAYBOOK)
    assert ran.code != 0 and "pin_bmcs_keys" in ran.results[-1]["msg"]
    assert pins(folder) == {"moved": OLD_KEY}


def test_what_is_listed_is_pinned_and_nothing_else(folder: PlaybookFolder) -> None:
    (folder.folder / "keys.yml").write_text(yaml.safe_dump({"pin_bmcs_keys": {"127.44.1.1": KEYS["new1"]}}))
    checked = folder.playbook(PLAYBOOK, "-e", "@keys.yml", "--check", "-l", "new*")
    assert checked.code == 0 and pins(folder) == {"moved": OLD_KEY}
    ran = folder.playbook(PLAYBOOK, "-e", "@keys.yml", "-l", "new*")
    assert ran.code == 0 and pins(folder) == {"moved": OLD_KEY, "new1": KEYS["new1"]}
    assert "Not listed or not confirmed: new2." in ran.said
    again = folder.playbook(PLAYBOOK, "-e", "@keys.yml", "-l", "new*")
    assert again.code == 0 and not any(result.get("changed") for result in again.results)


def test_a_listed_key_that_the_bmc_did_not_show_is_not_pinned(folder: PlaybookFolder) -> None:
    keys = {"127.44.1.1": KEYS["new1"], "127.44.1.2": "spki-sha256:" + "99" * 32}
    (folder.folder / "keys.yml").write_text(yaml.safe_dump({"pin_bmcs_keys": keys}))
    ran = folder.playbook(PLAYBOOK, "-e", "@keys.yml")
    assert ran.code != 0 and ran.results[-1]["error"]["type"] == "PinMismatch"
    assert "127.44.1.2:443" in ran.results[-1]["msg"] and "127.44.1.1" not in ran.results[-1]["msg"]
    assert pins(folder) == {"moved": OLD_KEY}


def test_a_key_that_changed_is_reported_and_replaced_only_when_said_so(folder: PlaybookFolder) -> None:
    keys = {f"127.44.1.{last}:443": KEYS[name] for last, name in ((1, "new1"), (3, "moved"))}
    (folder.folder / "keys.yml").write_text(yaml.safe_dump({"pin_bmcs_keys": keys}))
    ran = folder.playbook(PLAYBOOK, "-e", "@keys.yml")
    assert ran.code != 0 and "may be an attack" in ran.results[-1]["msg"] and "moved" in ran.results[-1]["msg"]
    assert pins(folder) == {"moved": OLD_KEY, "new1": KEYS["new1"]}

    ran = folder.playbook(PLAYBOOK, "-e", "@keys.yml", "-e", "pin_bmcs_replace=true")
    assert ran.code == 0, ran.said
    assert pins(folder) == {"moved": KEYS["moved"], "new1": KEYS["new1"]}


@pytest.mark.parametrize("keys", ["new1", ["127.44.1.1"], {"127.44.1.1": "sha1:abc"}, {"x y": KEYS["new1"]}])
def test_a_list_that_cannot_be_read_pins_nothing(folder: PlaybookFolder, keys: object) -> None:
    (folder.folder / "keys.yml").write_text(yaml.safe_dump({"pin_bmcs_keys": keys}))
    ran = folder.playbook(PLAYBOOK, "-e", "@keys.yml")
    assert ran.code != 0 and "Traceback" not in ran.said
    assert pins(folder) == {"moved": OLD_KEY}


def test_at_a_terminal_each_key_is_shown_and_only_a_yes_pins_it(folder: PlaybookFolder) -> None:
    code, shown = answer(
        ["ansible-playbook", "-i", "inventory.yml", PLAYBOOK, "-l", "new*"],
        [("Go on? (yes/no)", "yes"), (KEYS["new1"], "yes"), (KEYS["new2"], "no")],
        environment=folder.environment(),
        folder=str(folder.folder),
    )
    assert code == 0, shown
    assert pins(folder) == {"moved": OLD_KEY, "new1": KEYS["new1"]}
    assert "new2 at 127.44.1.2:443" in shown and "Acme { { lookup(" in shown
    assert not (folder.folder / "owned").exists()


def test_at_a_terminal_a_key_that_changed_is_shown_beside_the_pinned_one(folder: PlaybookFolder) -> None:
    code, shown = answer(
        ["ansible-playbook", "-i", "inventory.yml", PLAYBOOK, "-l", "moved", "-e", "pin_bmcs_replace=true"],
        [("Go on? (yes/no)", "yes"), (f"CHANGED: pinned  {OLD_KEY}", "yes")],
        environment=folder.environment(),
        folder=str(folder.folder),
    )
    assert code == 0, shown
    assert pins(folder) == {"moved": KEYS["moved"]}


def test_at_a_terminal_a_no_ends_it(folder: PlaybookFolder) -> None:
    code, shown = answer(
        ["ansible-playbook", "-i", "inventory.yml", PLAYBOOK],
        [("Go on? (yes/no)", "no")],
        environment=folder.environment(),
        folder=str(folder.folder),
    )
    assert code != 0 and "nothing is pinned" in " ".join(shown.split())
    assert pins(folder) == {"moved": OLD_KEY}


def test_from_discovery_to_discovery(inventory: InventoryFolder, fleet: Fleet) -> None:
    """What discovery finds unpinned is pinned from a list, and the next discovery logs in."""
    chosen = fleet.addresses[:2]
    inventory.write(trust="pin", targets=fleet.addresses[:3])
    found = {host["hearth_bmc"]["address"]: host["hearth_bmc"] for host in inventory.list().hosts.values()}
    assert {bmc["state"] for bmc in found.values()} == {"unpinned"}
    keys = {address: f"spki-sha256:{found[address]['fingerprint']['spki_sha256']}" for address in chosen}
    (inventory.folder / "keys.yml").write_text(yaml.safe_dump({"pin_bmcs_keys": keys, "hearth_state": inventory.state}))

    ended = inventory.command("ansible-playbook", "-i", str(inventory.source), PLAYBOOK, "-e", "@keys.yml")
    assert ended.code == 0, ended.said
    states = {host["hearth_bmc"]["address"]: host["hearth_bmc"]["state"] for host in inventory.list().hosts.values()}
    assert states == {**dict.fromkeys(chosen, "ok"), fleet.addresses[2]: "unpinned"}
