# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands where ansible-test keeps the get-pip script that it downloads: for machines that reach only a package index.

tests/toolchain/ansible_test.py copies it to ~/.ansible/test/cache/get_pip_<version>.py, where no such file is.
ansible-test runs it with the Python of an empty virtual environment and with options of `pip install`; two of them only
get-pip itself knows.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> None:
    version = os.path.basename(os.path.splitext(__file__)[0]).replace("get_pip_", "").replace("_", ".")
    options = [option for option in sys.argv[1:] if option not in ("--no-setuptools", "--no-wheel")]
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-q"] + options + ["pip==" + version])


if __name__ == "__main__":
    main()
