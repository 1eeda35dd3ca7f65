# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC that means harm, or whose firmware went mad: nothing raises, nothing acts, nothing grows without bound."""

from __future__ import annotations

import copy
import json
import random
import time
from typing import Any

import pytest

from tests.unit.plugins.module_utils._redfish.looking import look, look_at
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay, Tree
from tests.unit.plugins.module_utils._redfish.trees import ROOT, hgx, plain, ref

SYSTEM = f"{ROOT}/Systems/1"
ATTACK = "{{ lookup('pipe', 'touch /tmp/owned') }}{% x %}{# y #}\x1b]0;owned\x07\x1b[2J\u202egnp\r\nX-Injected: 1\x00"


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *strings(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value] if isinstance(value, str) else []


def attacked(document: Any) -> Any:
    """The document with every string that is no link replaced by the attack."""
    if isinstance(document, dict):
        return {
            key: inner if key.startswith("@odata") or key in ("Members", "Links") else attacked(inner)
            for key, inner in document.items()
        }
    if isinstance(document, list):
        return [attacked(inner) for inner in document]
    return ATTACK if isinstance(document, str) else document


@pytest.mark.parametrize("details", ["minimal", "standard", "full"])
def test_no_string_that_leaves_acts(details: str) -> None:
    tree = {path: document if path == ROOT else attacked(document) for path, document in hgx().items()}
    tree[ROOT].update(Vendor=ATTACK, Product=ATTACK, RedfishVersion=ATTACK, UUID=ATTACK)
    outcome = look_at(tree, Manners(server="evil"), details=details)
    assert outcome.hosts
    for text in strings(outcome.hosts):
        assert not any(mark in text for mark in ("{{", "{%", "{#", "}}", "%}", "#}")), text
        assert text.isprintable(), ascii(text)
        assert "\u202e" not in text


@pytest.mark.parametrize("system_id", [ATTACK, "../../etc/passwd", "a" * 5000, "", None, 7, [], {}])
def test_an_id_of_any_kind_is_text_of_bounded_length(system_id: Any) -> None:
    tree = plain()
    tree[SYSTEM]["Id"] = system_id
    (host,) = look_at(tree).hosts
    assert isinstance(host["system_id"], str)
    assert 0 < len(host["system_id"]) <= 128


def test_errors_of_the_bmc_are_cleaned_before_they_are_warnings() -> None:
    body = json.dumps({"error": {"@Message.ExtendedInfo": [{"MessageId": ATTACK, "Message": ATTACK * 100}]}}).encode()
    with Replay(plain(), Manners(status={f"{ROOT}/Chassis/1": 500})) as bmc:
        outcome = look(bmc)
        assert all(len(text) <= 512 for text in strings(outcome.hosts))
    with Replay(plain(), Manners(raw={ROOT: body})) as bmc:
        outcome = look(bmc)
        assert not any("{{" in text or "\x1b" in text for text in strings(outcome.hosts))


def test_a_megabyte_for_a_model_name_is_cut() -> None:
    (host,) = look_at(plain(Model="Rx" * 500_000)).hosts
    assert len(host["hearth_server"]["model"]) <= 256


WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"@odata.id": 7},
    {"@odata.id": None},
]


def spoiled(tree: Tree, wrong: Any, chance: random.Random) -> Tree:
    """One property in three of every document is of a wrong type; links between documents stay in half of the cases."""
    spoiled_tree: Tree = {}
    for path, document in tree.items():
        spoiled_tree[path] = {
            key: wrong if chance.random() < 0.33 and key not in ("RedfishVersion", "@odata.id") else inner
            for key, inner in copy.deepcopy(document).items()
        }
    return spoiled_tree


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("seed", [1, 2])
def test_wrong_types_anywhere_never_raise(wrong: Any, seed: int) -> None:
    tree = spoiled(hgx() | plain(processors=("1", "GPU1")), wrong, random.Random(seed))
    outcome = look_at(tree, details="full", read_bmc_macs=True)
    assert outcome.hosts or outcome.error
    json.dumps(outcome.hosts, allow_nan=False)


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("key", ["Systems", "Chassis", "Managers", "Links", "Oem", "PowerEquipment", "Vendor"])
def test_a_root_of_wrong_types_is_still_a_host(wrong: Any, key: str) -> None:
    tree = plain()
    tree[ROOT][key] = wrong
    assert look_at(tree).hosts


@pytest.mark.parametrize(
    "key",
    ["Status", "Links", "ProcessorSummary", "MemorySummary", "TrustedModules", "Processors", "SecureBoot", "Boot"],
)
@pytest.mark.parametrize("wrong", ["a string", 7, None, [], [[]], True])
def test_a_system_with_a_wrong_type_keeps_the_rest(key: str, wrong: Any) -> None:
    (host,) = look_at(plain(**{key: wrong}), details="full").hosts
    assert host["hearth_server"]["serial"] == "SN-1-77"


def test_numbers_may_be_strings() -> None:
    tree = plain(
        ProcessorSummary={"Count": "2", "CoreCount": "64"},
        MemorySummary={"TotalSystemMemoryGiB": "512"},
        SerialNumber=1662923610124,
    )
    machine = look_at(tree).hosts[0]["hearth_server"]
    assert (machine["cpus"], machine["cores"], machine["memory_gib"]) == (2, 64, 512)
    assert machine["serial"] == "1662923610124"


def test_links_in_a_circle_end() -> None:
    tree = plain()
    system = tree[SYSTEM]
    for key in ("Processors", "SecureBoot", "EthernetInterfaces", "Storage"):
        system[key] = ref(SYSTEM)
    system["Links"] = {"Chassis": [ref(SYSTEM)], "ManagedBy": [ref(SYSTEM)]}
    system["Members"] = [ref(SYSTEM), ref(f"{ROOT}/Systems")]
    with Replay(tree) as bmc:
        assert look(bmc, details="full").hosts
        assert len(bmc.requests) < 20


def test_links_to_other_hosts_are_not_followed_and_the_rest_is_read() -> None:
    tree = plain(Processors=ref("https://192.0.2.1/redfish/v1/x"), SecureBoot=ref("//192.0.2.1/redfish/v1/y"))
    (host,) = look_at(tree).hosts
    assert host["hearth_server"]["serial"] == "SN-1-77"
    assert any("another host" in warning for warning in host["hearth_bmc"]["warnings"])


def test_a_tree_without_end_ends() -> None:
    """Every collection has a hundred members, each of which links to more."""
    tree = plain()
    tree[f"{SYSTEM}/Storage"]["Members"] = [ref(f"{SYSTEM}/Storage/{i}") for i in range(100)]
    for i in range(100):
        drives = [ref(f"{SYSTEM}/Storage/{i}/Drives/{j}") for j in range(100)]
        tree[f"{SYSTEM}/Storage/{i}"] = {"Drives": drives}
        for j in range(100):
            tree[f"{SYSTEM}/Storage/{i}/Drives/{j}"] = {"Model": "endless"}
    with Replay(tree) as bmc:
        (host,) = look(bmc, details="full").hosts
        assert len(bmc.requests) < 650
        assert len(host["hearth_server"]["drives"]) <= 256


def test_a_thousand_systems_are_cut_and_said_so() -> None:
    tree = plain()
    tree[f"{ROOT}/Systems"]["Members"] = [ref(f"{ROOT}/Systems/{i}") for i in range(1000)]
    for i in range(1000):
        tree[f"{ROOT}/Systems/{i}"] = {"Id": str(i)}
    outcome = look_at(tree, details="minimal")
    assert len(outcome.hosts) == 64
    assert any("1000 systems" in warning for warning in outcome.hosts[0]["hearth_bmc"]["warnings"])


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/Systems", SYSTEM, f"{ROOT}/Chassis/1"])
@pytest.mark.parametrize("body", [b'{"a":' * 50_000, b"\x00" * 1000, b'{"Id": "' + b"A" * (17 << 20) + b'"}'])
def test_bodies_that_are_too_deep_or_too_long_are_an_answer_that_is_none(path: str, body: bytes) -> None:
    started = time.monotonic()
    outcome = look_at(plain(), Manners(raw={path: body}))
    assert outcome.hosts
    assert time.monotonic() - started < 10
