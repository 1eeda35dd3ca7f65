# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a system boots from: the override for one boot or all, and the boot order.

Plain documents rather than sushy's System: sushy writes what changes alone, where AMI's firmware wants the Boot object
whole, takes "Cd" for "UsbCd" on every Supermicro machine, knows no target beyond its list and no boot order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._core.errors import BadInput, Unsupported, VerificationFailed
from .._core.hostile import clean
from .access import ChosenSystem, Session
from .client import RedfishClient
from .document import items, link, part, text
from .platforms.index import refined

ENABLED = "BootSourceOverrideEnabled"
TARGET = "BootSourceOverrideTarget"
MODE = "BootSourceOverrideMode"
HTTP_URI = "HttpBootUri"
UEFI_TARGET = "UefiTargetBootSourceOverride"
BOOT_NEXT = "BootNext"
ORDER = "BootOrder"

STATES = {"once": "Once", "continuous": "Continuous", "disabled": "Disabled"}
MODES = {"uefi": "UEFI", "legacy": "Legacy"}

# ComputerSystem.BootSource of DSP0268, for BMCs that do not say what they offer.
TARGETS = (
    "None Pxe Floppy Cd Usb Hdd BiosSetup Utilities Diags UefiShell UefiTarget SDCard UefiHttp RemoteDrive UefiBootNext"
    " Recovery"
).split()

_OFFERED = "@Redfish.AllowableValues"
_MOST_OPTIONS = 256
_SETTLE_SECONDS = 15.0  # until a change that was accepted has to show
_PAUSE = 0.5


@dataclass(frozen=True)
class BootWanted:
    """None: whatever it is. ``target`` and ``order`` as the user writes them."""

    state: Optional[str] = None  # once | continuous | disabled
    target: Optional[str] = None
    mode: Optional[str] = None  # uefi | legacy
    http_boot_uri: Optional[str] = None
    uefi_target: Optional[str] = None
    boot_next: Optional[str] = None
    order: Sequence[str] = ()


@dataclass(frozen=True)
class BootView:
    """The Boot object, and that of the settings object where there is one: what is written there waits for a boot."""

    path: str
    boot: Mapping[str, Any]
    settings_path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Where the property is written."""
        return self.settings_path if name in self.settings else self.path

    def get(self, name: str) -> Any:
        return self.settings[name] if name in self.settings else self.boot.get(name)

    def knows(self, name: str) -> bool:
        return name in self.settings or name in self.boot

    def offered(self, name: str) -> Optional[List[str]]:
        """The values that the BMC says it takes; None where it does not say."""
        for shown in (self.settings, self.boot):
            values = [value for value in items(shown.get(f"{name}{_OFFERED}")) if isinstance(value, str)]
            if values:
                return values
        return None

    @property
    def order(self) -> List[str]:
        return [entry for entry in items(self.get(ORDER)) if isinstance(entry, str)]

    @property
    def pending(self) -> bool:
        """Whether something in the settings object waits for the next boot."""
        names = (ENABLED, TARGET, MODE, HTTP_URI, ORDER)
        return any(name in self.settings and self.settings[name] != self.boot.get(name) for name in names)

    def after(self, writes: Mapping[str, Mapping[str, Any]]) -> BootView:
        """As it would be read when the writes have been done."""
        return replace(
            self,
            boot={**self.boot, **writes.get(self.path, {})},
            settings={**self.settings, **writes.get(self.settings_path, {})} if self.settings_path else self.settings,
        )

    def shown(self) -> Dict[str, Any]:
        """For a result: our own words, nothing of the BMC's that was not cleaned."""
        enabled, mode = text(self.get(ENABLED)), text(self.get(MODE))
        target = text(self.get(TARGET))
        return {
            "state": spelled(enabled) if enabled else None,
            "target": spelled(target) if target and enabled != "Disabled" else None,
            "mode": mode.lower() if mode else None,
            "http_boot_uri": text(self.get(HTTP_URI), 2048),
            "uefi_target": text(self.get(UEFI_TARGET), 2048),
            "boot_next": text(self.get(BOOT_NEXT)),
            "order": [clean(entry) for entry in self.order[:_MOST_OPTIONS]],
            "pending": self.pending,
        }

    def offers(self) -> Dict[str, Any]:
        """What may be asked for; None where the BMC does not say."""
        return {
            "states": _all_spelled(self.offered(ENABLED)),
            "targets": _all_spelled(self.offered(TARGET)),
            "modes": _all_spelled(self.offered(MODE)),
            "http_boot_uri": self.knows(HTTP_URI),
            "order": self.knows(ORDER),
        }


Writes = Dict[str, Dict[str, Any]]  # path of the resource -> properties of its Boot object


def read_boot(session: Session, chosen: ChosenSystem, *, again: bool = False) -> BootView:
    """``again``: read once more what has been read."""
    # A system that was named by its path has not told its platform yet.
    session.client.platform = refined(session.client.platform, "system", chosen.document)
    get = session.fresh if again else session.client.get
    document = get(chosen.path)
    settings_path = link(part(document, "@Redfish.Settings").get("SettingsObject"))
    settings: Mapping[str, Any] = {}
    if settings_path:
        found = get(settings_path) if again else session.client.find(settings_path, "the system's settings object")
        settings = part(found, "Boot")
    return BootView(chosen.path, part(document, "Boot"), settings_path if settings else "", settings)


def plan_boot(session: Session, chosen: ChosenSystem, view: BootView, wanted: BootWanted) -> Writes:
    """What to write; empty: nothing. Unsupported or BadInput, which say what is offered, before anything is written."""
    writes: Writes = {}
    where = f"{session.access.endpoint.url}{chosen.path}"
    for name, value in _override(session.client, chosen, view, wanted, where).items():
        writes.setdefault(view.place(name), {})[name] = value
    if wanted.order:
        order = _new_order(session, view, wanted.order, where)
        if order != view.order:
            writes.setdefault(view.place(ORDER), {})[ORDER] = order
    return writes


def apply_boot(session: Session, writes: Writes) -> None:
    for path, properties in writes.items():
        session.client.change(path, {"Boot": properties})


def verify_boot(session: Session, chosen: ChosenSystem, writes: Writes) -> BootView:
    """The settings as they are read back. VerificationFailed where what was accepted does not show in time."""
    until = session.client.transport.deadline.sooner(_SETTLE_SECONDS)
    wanted = {name: value for properties in writes.values() for name, value in properties.items()}
    while True:
        view = read_boot(session, chosen, again=True)
        missing = {name: value for name, value in wanted.items() if _differs(name, view, value)}
        if not missing:
            return view
        if until.remaining() <= _PAUSE:
            break
        session.rest(_PAUSE)
    raise VerificationFailed(
        "The BMC accepted the boot settings, and they do not show.",
        expected=_told(missing),
        found=_told({name: view.get(name) for name in missing}),
        where=f"{session.access.endpoint.url}{chosen.path}",
        next=(session.client.platform.boot_order_hint if ORDER in missing else "")
        or "Look whether the machine is in its setup or its self-test, and run the task again.",
    )


def spelled(name: str) -> str:
    """``UefiHttp`` → ``uefi_http``: our way of writing Redfish's words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


# The override


def _override(
    client: RedfishClient, chosen: ChosenSystem, view: BootView, wanted: BootWanted, where: str
) -> Dict[str, Any]:
    """The properties of the override that change, with those that have to go along."""
    if wanted.state is None:
        return {}
    if not view.knows(ENABLED) and not view.knows(TARGET):
        raise Unsupported(
            "This BMC offers no boot override for the system.",
            expected=f"{ENABLED} in Boot",
            found=", ".join(sorted(clean(name) for name in view.boot)) or "no Boot",
            where=where,
        )
    if wanted.state == "disabled":
        if client.platform.boot_stays:
            resting = client.platform.boot_stays
            return {} if view.get(TARGET) == resting else {TARGET: resting}
        return {} if view.get(ENABLED) == "Disabled" else _disabling(client, view)
    if wanted.state == "once" and client.platform.boot_stays:
        wanted = replace(wanted, state="continuous")
        client.warn("this service has no boot override for one boot: it stays until the state disabled takes it back")
    desired = _desired(client, chosen, view, wanted, where)
    changed = {name for name, value in desired.items() if _differs(name, view, value)}
    if not changed:
        return {}
    # For how long and what from belong together (Supermicro refuses one without the other, field notes §6).
    whole = {ENABLED, TARGET}
    if client.platform.boot_whole and view.get(MODE):
        desired.setdefault(MODE, view.get(MODE))
        whole.add(MODE)
    return {name: value for name, value in desired.items() if name in changed | whole}


def _disabling(client: RedfishClient, view: BootView) -> Dict[str, Any]:
    properties: Dict[str, Any] = {ENABLED: "Disabled"}
    if "None" in (view.offered(TARGET) or ["None"]):
        properties[TARGET] = "None"
    if client.platform.boot_whole:
        properties.setdefault(TARGET, view.get(TARGET))
        if view.get(MODE):
            properties[MODE] = view.get(MODE)
    return properties


def _desired(
    client: RedfishClient, chosen: ChosenSystem, view: BootView, wanted: BootWanted, where: str
) -> Dict[str, Any]:
    target = _target(client, chosen, view, wanted.target or "", where)
    desired: Dict[str, Any] = {
        ENABLED: _offered(view, ENABLED, STATES[wanted.state or "once"], "a boot override", where),
        TARGET: target,
    }
    if wanted.mode is not None:
        if not view.knows(MODE):
            raise Unsupported(
                "This BMC does not let the boot mode be chosen.",
                expected=f"{MODE} in Boot",
                found="none",
                where=where,
                next="Leave mode out; the machine's own setup decides.",
            )
        desired[MODE] = _offered(view, MODE, MODES[wanted.mode], "a boot mode", where)
    for name, value, only_with in (
        (HTTP_URI, wanted.http_boot_uri, "UefiHttp"),
        (UEFI_TARGET, wanted.uefi_target, "UefiTarget"),
        (BOOT_NEXT, wanted.boot_next, "UefiBootNext"),
    ):
        if value is None:
            if name == HTTP_URI and target == only_with and view.get(name):
                desired[name] = None  # an address of last time is not what is asked for now
            continue
        if target != only_with:
            raise BadInput(
                f"{spelled(name)} goes with the target {spelled(only_with)} only.",
                expected=f"target: {spelled(only_with)}",
                found=f"target: {spelled(target)}",
                where=where,
            )
        if not view.knows(name):
            raise Unsupported(
                f"This BMC takes no {name}.",
                expected=f"{name} in Boot",
                found=", ".join(sorted(clean(known) for known in view.boot if "@" not in known)),
                where=where,
                next="Boot from virtual media, or set the address in the BIOS settings." if name == HTTP_URI else "",
            )
        desired[name] = value
    return desired


def _target(client: RedfishClient, chosen: ChosenSystem, view: BootView, written: str, where: str) -> str:
    """The target in Redfish's words, or the one that this machine has for it."""
    offered = view.offered(TARGET)
    known: Dict[str, str] = {_folded(name): name for name in (*TARGETS, *(offered or ()))}
    target: Optional[str] = known.get(_folded(written))
    model = text(chosen.document.get("Model")) or ""
    for replacement in client.platform.boot_replacements:
        if replacement.becomes in (offered or ()) and target and replacement.applies(target, model):
            target = replacement.becomes
            break
    if target is None or (offered is not None and target not in offered):
        raise Unsupported(
            f"This machine offers no boot target {clean(written)}.",
            expected=clean(written),
            found=", ".join(spelled(clean(name)) for name in offered or TARGETS),
            where=where,
            next="Choose one of those that are offered.",
        )
    return target


def _offered(view: BootView, name: str, value: str, what: str, where: str) -> str:
    offered = view.offered(name)
    if offered is not None and value not in offered:
        raise Unsupported(
            f"This machine offers no such thing as {what} {spelled(value)}.",
            expected=spelled(value),
            found=", ".join(spelled(clean(one)) for one in offered),
            where=where,
            next="Choose one of those that are offered.",
        )
    return value


def _differs(name: str, view: BootView, value: Any) -> bool:
    now = view.get(name)
    if name == ORDER:
        return bool(view.order != value)
    if name == TARGET and value == "None" and view.get(ENABLED) == "Disabled":
        return False  # some keep the last target beside "Disabled" (capture supermicro)
    return bool(now != value) and not (value is None and now == "")


# The order


def _new_order(session: Session, view: BootView, wanted: Sequence[str], where: str) -> List[str]:
    """The options that are named, by reference or by name, then the others as they were."""
    if not view.knows(ORDER) or not view.order:
        raise Unsupported(
            "This BMC does not tell a boot order.",
            expected=f"{ORDER} in Boot",
            found="none",
            where=where,
            next="Leave order out.",
        )
    names = _option_names(session, view) if any(entry not in view.order for entry in wanted) else {}
    chosen: List[str] = []
    for entry in wanted:
        reference = _option(view.order, names, entry)
        if reference is None:
            raise BadInput(
                f"The boot order has no option {clean(entry)}, or several of that name.",
                expected=clean(entry),
                found=", ".join(clean(f"{one} ({names[one]})" if names.get(one) else one) for one in view.order),
                where=where,
                next="Name options by their reference or by their whole name.",
            )
        if reference not in chosen:
            chosen.append(reference)
    return chosen + [entry for entry in view.order if entry not in chosen]


def _option(order: Sequence[str], names: Mapping[str, str], written: str) -> Optional[str]:
    if written in order:
        return written
    found = [entry for entry in order if names.get(entry, "").casefold() == written.casefold()]
    found = found or [entry for entry in order if entry.casefold() == written.casefold()]
    return found[0] if len(found) == 1 else None


def _option_names(session: Session, view: BootView) -> Dict[str, str]:
    """Boot option's reference → the name that a person reads."""
    names: Dict[str, str] = {}
    for option in session.client.members(link(view.boot.get("BootOptions")), "boot options"):
        reference = option.get("BootOptionReference") or option.get("Id")
        name = text(option.get("DisplayName")) or text(option.get("Name"))
        if isinstance(reference, str) and name:
            names[reference] = name
    return names


def _folded(name: str) -> str:
    return re.sub(r"[_\- ]", "", name).casefold()


def _all_spelled(names: Optional[List[str]]) -> Optional[List[str]]:
    return None if names is None else [spelled(clean(name)) for name in names]


def _told(properties: Mapping[str, Any]) -> str:
    pairs: List[Tuple[str, Any]] = sorted(properties.items())
    return clean(
        ", ".join(
            f"{name}: {'[' + ', '.join(map(str, value)) + ']' if isinstance(value, list) else value}"
            for name, value in pairs
        ),
        1000,
    )
