# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A device with everything around it that can unlock it: a TPM in software, and Tang servers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.hearth.datacenter.plugins.module_utils._core.programs import Programs, node_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.audit import Audit, Expected
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.binding import Binder
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.clevis import Clevis
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.cryptsetup import Luks
from tests.servers.luks_image import PASSPHRASE, LuksImage, require_cryptsetup
from tests.servers.swtpm import SoftwareTpm, manufacture, require_swtpm, software_tpm
from tests.servers.tang import TangServer, require_tang


class LuksBench:
    """Everything is started when it is first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        require_cryptsetup()
        require_tang()
        self.folder = folder
        self._stack = stack
        self._tpm: SoftwareTpm | None = None
        self._tangs = 0
        self.measured = (4, 7, 8, 9, 11)
        """The PCRs that the TPM's firmware extends."""

    def image(self, *words: str) -> LuksImage:
        return LuksImage(self.folder / f"disk{len(list(self.folder.glob('*.img')))}.img", *words)

    def tang(self) -> TangServer:
        self._tangs += 1
        server = TangServer(self.folder / f"tang{self._tangs}")
        self._stack.callback(server.stop)
        return server

    @property
    def tpm(self) -> SoftwareTpm:
        """A TPM whose firmware measured something."""
        if self._tpm is None:
            require_swtpm()
            state = self.folder / "manufactured"
            manufacture(state, None)
            running = self.folder / "tpm"
            running.mkdir()
            self._tpm = self._stack.enter_context(software_tpm(running, state))
            self._tpm.extend((pcr, bytes([pcr]) * 32) for pcr in self.measured)
        return self._tpm

    @property
    def environment(self) -> dict[str, str]:
        return node_environment(os.environ if self._tpm is None else self._tpm.environment)

    def tools(self, image: LuksImage) -> tuple[Luks, Clevis]:
        programs = Programs(self.environment)
        return Luks(str(image.path), programs), Clevis(programs)

    def binder(self, image: LuksImage, passphrase: bytes | None = PASSPHRASE, **more: Any) -> Binder:
        return Binder(*self.tools(image), passphrase, **more)

    def audit(self, image: LuksImage, *, passphrase: bytes | None = PASSPHRASE, **expected: Any) -> dict[str, Any]:
        return Audit(*self.tools(image), Expected(**expected), passphrase).run()

    def codes(self, image: LuksImage, **expected: Any) -> list[tuple[str, str]]:
        """Severity and code of each finding."""
        findings = self.audit(image, **expected)["findings"]
        return [(finding["severity"], finding["code"]) for finding in findings]

    def pcr_values(self, *pcrs: int) -> bytes:
        return self.tpm.run("tpm2_pcrread", f"sha256:{','.join(map(str, pcrs))}", "-Q", "-o", "/dev/stdout")


@contextmanager
def luks_bench() -> Iterator[LuksBench]:
    """In a directory with a short name: swtpm's socket lies there."""
    folder = Path(tempfile.mkdtemp(prefix="hearth-luks-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield LuksBench(folder, stack)


Reached = Callable[[str], None]
