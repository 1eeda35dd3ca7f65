# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the emulated fleet."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.emulators.redfish import supervisor
from tests.emulators.redfish.admin import parse_share
from tests.emulators.redfish.faults import faults_by_name
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.emulators.redfish.personality import Personality
from tests.emulators.redfish.plan import FaultShare, FleetMember, Plan, PlanError, addresses, members
from tests.emulators.redfish.replay import replayed
from tests.emulators.redfish.tls import GivenAuthority


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m tests.emulators.redfish",
        description="Thousands of Redfish BMCs on loopback addresses, for tests and try-outs.",
    )
    made.add_argument("--bmcs", type=int, metavar="N", help="how many (default 20; with --replay one for each capture)")
    made.add_argument("--network", default="127.16.0.0/14", metavar="CIDR", help="inside 127.0.0.0/8 (%(default)s)")
    made.add_argument("--platforms", default="", metavar="NAME=WEIGHT,…", help="default: all, alike; see --list")
    made.add_argument("--latency", default="0", metavar="MS|MIN-MAX", help="milliseconds a request (%(default)s)")
    made.add_argument("--faults", default="", metavar="NAME=SHARE[:OPTION=VALUE…],…", help="share: 5%% or a count")
    made.add_argument("--power-seconds", type=float, metavar="S", help="of each power transition (the platform's own)")
    made.add_argument("--https-port", type=int, default=8443, metavar="PORT")
    made.add_argument("--http-port", type=int, default=8080, metavar="PORT", help="0: no plain HTTP (%(default)s)")
    made.add_argument("--admin-port", type=int, default=0, metavar="PORT", help="0: any (%(default)s)")
    made.add_argument("--workers", type=int, default=2, metavar="W", help="processes (%(default)s)")
    made.add_argument("--username", default="hearth")
    made.add_argument("--password", default="emulated-fleet")
    made.add_argument("--seed", type=int, default=1, help="identities, keys and chance follow from it (%(default)s)")
    made.add_argument("--state-dir", metavar="DIR", help="fleet.json and ca.pem go there (default: a new one in /tmp)")
    made.add_argument("--replay", metavar="DIR", help="serve an unpacked capture, or a directory of several")
    made.add_argument("--no-authentication", action="store_true", help="with --replay: everything is open to all")
    made.add_argument(
        "--certificates", choices=("own", "shared"), default="own", help="shared: one key for all, for small fleets"
    )
    real = made.add_argument_group("real machines: one BMC for each libvirt domain of a file")
    real.add_argument("--machines", metavar="FILE", help='{"machines": [{"name": DOMAIN, "bmc": {"address": …}}, …]}')
    real.add_argument("--libvirt-uri", default="qemu:///system", metavar="URI", help="(%(default)s)")
    real.add_argument(
        "--media-slots", type=int, default=2, choices=(0, 1, 2), help="at most, of a domain's CD-ROM drives"
    )
    real.add_argument("--media-dir", metavar="DIR", help="sockets for QEMU (default: media in the state directory)")
    real.add_argument("--media-ca", metavar="FILE", help="media servers' certificates are checked by it")
    real.add_argument("--password-file", metavar="FILE", help="instead of --password; the password is told nowhere")
    real.add_argument("--ca-certificate", metavar="FILE", help="the BMCs' certificates are issued by this CA, …")
    real.add_argument("--ca-key", metavar="FILE", help="… whose key this is (EC or RSA, not encrypted)")
    made.add_argument("--list", action="store_true", help="name the platforms and faults, and end")
    return made


def platforms(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _dummy, weight = part.partition("=")
        if not (weight or "1").isdecimal():
            raise PlanError(f"--platforms: {part!r} is not NAME or NAME=WEIGHT")
        found[name] = int(weight or 1)
    return found


def latency(text: str) -> tuple[float, float]:
    """Milliseconds as text → seconds."""
    least, _dummy, most = text.partition("-")
    try:
        found = float(least) / 1000, float(most or least) / 1000
    except ValueError:
        raise PlanError(f"--latency: {text!r} is not a number of milliseconds, nor two as in 20-200") from None
    if not 0 <= found[0] <= found[1]:
        raise PlanError(f"--latency: {text!r} has its larger number first, or one below 0")
    return found


def fault_shares(text: str) -> tuple[FaultShare, ...]:
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        head, *options_text = part.split(":")
        name, _dummy, share = head.partition("=")
        if name not in faults_by_name():
            raise PlanError(f"--faults: there is no fault {name}; there are {', '.join(sorted(faults_by_name()))}")
        options: dict[str, Any] = {}
        for option in options_text:
            key, _dummy, value = option.partition("=")
            try:
                options[key] = json.loads(value)
            except ValueError:
                options[key] = value
        try:
            faults_by_name()[name].checked(options)
            found.append(parse_share(name, share or "100%", options))
        except ValueError as error:
            raise PlanError(f"--faults: {error}") from error
    return tuple(found)


def plan_of(options: argparse.Namespace) -> tuple[Plan, dict[str, Personality]]:
    known = dict(PERSONALITIES)
    if options.replay:
        known = {capture.name: capture for capture in
                 replayed(Path(options.replay).resolve(), authentication=not options.no_authentication)}  # fmt: skip
    chosen = {} if options.machines else platforms(options.platforms) or dict.fromkeys(known, 1)
    bmcs = options.bmcs if options.bmcs is not None else (len(known) if options.replay else 20)
    if bmcs < 1 or options.workers < 1:
        raise PlanError("--bmcs and --workers are at least 1")
    if not 1 <= options.https_port <= 65535 or not 0 <= options.http_port <= 65535:
        raise PlanError("--https-port is 1 … 65535, --http-port 0 … 65535")
    plan = Plan(
        bmcs=bmcs,
        network=options.network,
        platforms=chosen,
        latency=latency(options.latency),
        faults=fault_shares(options.faults),
        power_seconds=options.power_seconds,
        https_port=options.https_port,
        http_port=options.http_port,
        workers=options.workers,
        username=options.username,
        password=_password(options),
        password_file=options.password_file or "",
        authority_pem=_authority(options),
        seed=options.seed,
        replay=options.replay or "",
        certificates=options.certificates,
        admin_port=options.admin_port,
    )
    if not options.machines:
        addresses(plan)
    return plan, known


def real_machines(options: argparse.Namespace, plan: Plan, state_dir: Path) -> tuple[Plan, list[FleetMember]]:
    """Raises PlanError before anything is made but the folder of sockets."""
    # Not at the top: thousands of simulated machines need nothing of it.
    from tests.emulators.redfish.domains.roster import domain_members

    if options.bmcs is not None or options.replay:
        raise PlanError("--machines says itself which BMCs there are: neither --bmcs nor --replay goes with it")
    if options.media_ca and not Path(options.media_ca).is_file():
        raise PlanError(f"--media-ca: there is no {options.media_ca}")
    plan = replace(
        plan,
        platforms=platforms(options.platforms) or {"generic": 1},
        libvirt_uri=options.libvirt_uri,
        media_slots=options.media_slots,
        media_ca=options.media_ca or "",
        media_dir=str(Path(options.media_dir or state_dir / "media").resolve()),
    )
    found = domain_members(plan, Path(options.machines))
    _prepare(Path(plan.media_dir))
    return replace(plan, bmcs=len(found), network="addresses of the machines"), found


def _prepare(media_dir: Path) -> None:
    """QEMU runs as a user of its own, and has to reach the sockets."""
    media_dir.mkdir(parents=True, exist_ok=True)
    media_dir.chmod(0o711)
    if len(str(media_dir)) > 60:  # and a socket's name below it: 107 bytes is the kernel's limit
        raise PlanError(f"--media-dir {media_dir}: sockets need a shorter path")
    for folder in media_dir.parents:
        if not folder.stat().st_mode & 0o001:
            raise PlanError(f"--media-dir {media_dir}: QEMU's user cannot go through {folder} (chmod o+x)")
    for left in media_dir.glob("*.sock"):
        left.unlink()


def _given(option: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PlanError(f"{option}: {error}") from error


def _password(options: argparse.Namespace) -> str:
    if not options.password_file:
        return str(options.password)
    found = _given("--password-file", options.password_file).decode(errors="replace").strip()
    if not found:
        raise PlanError(f"--password-file: {options.password_file} is empty")
    return found


def _authority(options: argparse.Namespace) -> tuple[bytes, bytes] | None:
    if not options.ca_certificate and not options.ca_key:
        return None
    if not options.ca_certificate or not options.ca_key:
        raise PlanError("--ca-certificate and --ca-key go together")
    pair = _given("--ca-certificate", options.ca_certificate), _given("--ca-key", options.ca_key)
    try:
        GivenAuthority(*pair)
    except ValueError as error:
        raise PlanError(f"--ca-certificate, --ca-key: {error}") from error
    return pair


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        print("platforms:", ", ".join(sorted(PERSONALITIES)))
        print("faults:   ", ", ".join(sorted(faults_by_name())))
        return 0
    state_dir = Path(options.state_dir or tempfile.mkdtemp(prefix="hearth-fleet-")).resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / "fleet.json").unlink(missing_ok=True)
    try:
        plan, known = plan_of(options)
        if options.machines:
            plan, fleet = real_machines(options, plan, state_dir)
        else:
            fleet = members(plan, known)
        print(
            f"{plan.bmcs} BMCs in {plan.network}; {state_dir}/fleet.json is there when all of them listen", flush=True
        )
        return supervisor.run(plan, fleet, state_dir)
    except PlanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
