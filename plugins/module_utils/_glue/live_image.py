# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module live_image: the build of :mod:`.._live_image`, the forecast of :mod:`.._tpm`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .._core.errors import BadInput
from .._live_image.build import Built, ImageSpec, build, check
from .._live_image.commands import Commands, build_environment
from .._live_image.directory_lock import IMAGES, directory_lock
from .._live_image.iso_image import GRUB_CFG, KERNEL
from .._live_image.manifest import boot_chain, grub_files, manifest
from .._live_image.output import Output, unsigned
from .._live_image.package_cache import sha256_of
from .._live_image.package_list import read_package_list
from .._live_image.workspace import workspace
from .._tpm.authenticode import authenticode_sha256
from .._tpm.grub_image import embedded_config
from .._tpm.prediction import BootImage, predict_live_image_boots
from .contract import Contract, Outcome, Request

LOG = "build.log"


def run(request: Request) -> Outcome:
    """Build the image unless it is there."""
    params = request.params
    spec = _spec(params)
    output = Output(Path(params["directory"]), spec.name)
    work = Path(params["work_directory"])
    key = Path(params["signing_key"]) if params["signing_key"] else None
    if key is not None and not key.is_file():
        raise BadInput(f"there is no signing key {key}", expected="a private key of OpenSSH", where=str(key))
    image_id = spec.key()
    before = output.holds(image_id)
    if not before:
        check(spec, work)
    if request.check_mode:
        signed = key is None or (before and output.signature.is_file())
        changed = not before or not signed or (key is None and unsigned(output) is not None)
        return _outcome(output, image_id, changed=changed, made=before, seconds=0.0)
    started = time.monotonic()
    timeout = params["lock_timeout"]
    with directory_lock(output.directory, IMAGES, timeout):
        output.remove_beginnings()
        # Whoever was waited for may have made it.
        changed = not output.holds(image_id)
        if changed:
            _make(spec, output, Path(params["package_cache"]), work, timeout)
        changed = _sign(output, key) or changed
    return _outcome(output, image_id, changed=changed, made=True, seconds=time.monotonic() - started)


def _sign(output: Output, key: Optional[Path]) -> bool:
    """Whether that changed anything: with no key, a signature that nobody asked for goes."""
    if key is None:
        stale = unsigned(output)
        if stale is not None:
            stale.unlink()
        return stale is not None
    commands = Commands(output.directory / LOG, build_environment())
    if output.is_signed_by(key, commands):
        return False
    output.sign(key, commands)
    return True


def _spec(params: Mapping[str, Any]) -> ImageSpec:
    packages = read_package_list(Path(params["package_list"]))
    return ImageSpec(
        name=params["name"] or f"hearth-live-{packages.wanted.architecture}",
        packages=packages,
        overlays=tuple(Path(path) for path in params["overlays"]),
        customize=Path(params["customize"]),
        command_line=" ".join(params["kernel_command_line"].split()),
        consoles=tuple(params["consoles"]),
        excluded_paths=tuple(params["excluded_paths"]),
    )


def _make(spec: ImageSpec, output: Output, cache: Path, work: Path, lock_timeout: float) -> None:
    log = output.directory / LOG
    log.unlink(missing_ok=True)
    with workspace(work) as place:
        built = build(spec, cache, place, log, lock_timeout)
        chain, events = _forecast(spec, built)
        document = manifest(spec, built, file_name=output.iso.name, chain=chain, expected_events=events)
        output.put(built.iso, document, spec.packages)


def _forecast(spec: ImageSpec, built: Built) -> Tuple[List[Dict[str, str]], List[List[Dict[str, Any]]]]:
    """The chain with its digests, and what each way of booting will measure."""
    sources = {"shim": built.loaders[0].source, "grub": built.loaders[1].source, "kernel": built.tree / KERNEL}
    digests = {role: authenticode_sha256(path.read_bytes()) for role, path in sources.items()}
    chain = boot_chain(spec, built, digests)
    files = {entry["path"]: entry["sha256"] for entry in grub_files(built)}
    files["/.disk/info"] = sha256_of(built.tree / ".disk/info")
    boots = predict_live_image_boots(
        images=[BootImage(program["role"], program["path"], program["authenticode_sha256"]) for program in chain],
        embedded_config=embedded_config(sources["grub"].read_bytes()),
        files=files,
        configs={f"/{GRUB_CFG}": built.grub_cfg},
    )
    return chain, [[event.as_dict() for event in events] for events in boots]


def _outcome(output: Output, image_id: str, *, changed: bool, made: bool, seconds: float) -> Outcome:
    image: Dict[str, Any] = {
        "image_id": image_id,
        "was_current": not changed,
        "iso": str(output.iso),
        "manifest": str(output.manifest),
        "package_list": str(output.package_list),
        "checksums": str(output.checksums),
        "signature": str(output.signature) if output.signature.is_file() else None,
        "size_bytes": output.iso.stat().st_size if made else None,
        "sha256": sha256_of(output.iso) if made else None,
        "seconds": round(seconds, 1),
    }
    return Outcome(
        changed=changed,
        nouns={"live_image": image},
        before={"image_id": image_id if made and not changed else None},
        after={"image_id": image_id},
    )


LIVE_IMAGE = Contract(
    "live_image",
    run,
    argument_spec={
        "package_list": {"type": "path", "required": True},
        "directory": {"type": "path", "required": True},
        "name": {"type": "str"},
        "overlays": {"type": "list", "elements": "path", "required": True},
        "customize": {"type": "path", "required": True},
        "kernel_command_line": {"type": "str", "default": "panic=30 ima_policy=tcb ima_hash=sha256"},
        "consoles": {"type": "list", "elements": "str", "default": []},
        "excluded_paths": {"type": "list", "elements": "str", "default": []},
        "package_cache": {"type": "path", "required": True},
        "work_directory": {"type": "path", "default": "/var/tmp"},
        "lock_timeout": {"type": "int", "default": 1800},
        # A path; the key itself is never read by the module.
        "signing_key": {"type": "path", "no_log": False},
    },
)
