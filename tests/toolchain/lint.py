# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make lint`: the checks that read the files and run none of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.toolchain import environments, matrix
from tests.toolchain.checks import Check, Judge, Outcome, by_exit_code
from tests.toolchain.collection_tree import mirror_checkout
from tests.toolchain.interpreters import present
from tests.toolchain.locks import alone
from tests.toolchain.places import BUILD, MIRROR, MIRROR_ROOT, ROOT

ARTEFACT = BUILD / "artefact"

# What is typed by us and runs without Ansible, beside the plugins.
TYPED_PACKAGES = ("tests.toolchain", "tests.emulators", "tests.lab")


def checks() -> Iterator[list[Check]]:
    tools = environments.with_tools("tools", environments.TOOLS)
    importer = environments.with_tools("galaxy-importer", environments.GALAXY_IMPORTER)
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    controller = environments.for_pair(pair, environments.EMULATORS, environments.TESTS)
    environments.make_all(tools, importer, controller)
    with alone("mirror"):
        mirror_checkout()
        # Alone and first: reuse asks git once what is ignored, and takes what other tools write after that for ours.
        yield [_nox(tools, "license-check")]
        yield [*_tool_checks(tools), *_typing(tools, controller), *_importer(importer)]


def _in_copy(tools: environments.Environment, name: str, *command: str, judge: Judge = by_exit_code) -> Check:
    """A check by one of the tools, which sees the copy of the checkout as an installed collection."""
    # CI=true makes antsibull-nox's formatters look and not write.
    variables = tools.variables() | {"ANSIBLE_COLLECTIONS_PATH": str(MIRROR_ROOT), "CI": "true", "NO_COLOR": "1"}
    return Check(name, [str(tools.path / "bin" / command[0]), *command[1:]], MIRROR, variables, judge)


def _nox(tools: environments.Environment, session: str) -> Check:
    command = ("nox", "--no-venv", "--no-color", "-e", session)
    return _in_copy(tools, f"antsibull-nox {session}", *command, judge=_nothing_left_out)


def _tool_checks(tools: environments.Environment) -> Iterator[Check]:
    lint = ("ansible-lint", "--profile", "production", "--offline", "--nocolor")
    yield _in_copy(tools, "ansible-lint production", *lint)
    yield _in_copy(tools, "black", "black", "--check", "--quiet", "--diff", ".")
    yield _in_copy(tools, "ruff", "ruff", "check", "--no-cache", "--output-format", "concise", ".")
    # black, ruff and mypy are called directly: without an environment of its own nox's session `codeqa` runs nothing.
    for session in ("yamllint", "antsibull-nox-config", "extra-checks", "docs-check"):
        yield _nox(tools, session)
    # The other half of docs-check, which nox leaves out when it has no environment of its own.
    docs = ["lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "--validate-collection-refs", "all"]
    docs += ["--check-extra-docs-refs", "--disallow-unknown-collection-refs", "."]
    yield _in_copy(tools, "antsibull-docs", "antsibull-docs", *docs)
    yield _in_copy(tools, "antsibull-changelog", "antsibull-changelog", "lint")


# What antsibull-nox leaves out without an environment of its own, and what stands in for it here.
_LEFT_TO_US = (
    "Skipping installation",  # the tool environment has it
    "Skip preparing collections",  # the copy of the checkout is one
    "Skipping antsibull-docs",  # called directly
)


def _nothing_left_out(code: int, output: str) -> Outcome:
    """antsibull-nox warns where it leaves a part out, and exits with 0."""
    skips = [line.strip() for line in output.splitlines() if re.search(r"\bskip", line, re.IGNORECASE)]
    left_out = [line for line in skips if not any(known in line for known in _LEFT_TO_US)]
    if code == 0 and left_out:
        return Outcome("", failed=1, why=f"it left something out: {left_out[0]}")
    return by_exit_code(code, output)


def _typing(tools: environments.Environment, controller: environments.Environment) -> Iterator[Check]:
    options = [str(tools.path / "bin" / "mypy"), "--config-file", str(ROOT / "pyproject.toml")]
    # The types of psycopg, cryptography and pytest are those of the environment that they run in.
    options += ["--python-executable", str(controller.python), "--cache-dir"]

    def check(name: str, search: Path, packages: tuple[str, ...]) -> Check:
        command = [*options, str(BUILD / f"mypy-{search.name}")]
        for package in packages:
            command += ["-p", package]
        return Check(name, command, search, tools.variables() | {"MYPYPATH": str(search)})

    yield check("mypy plugins", MIRROR_ROOT, ("ansible_collections.hearth.datacenter.plugins",))
    yield check("mypy tests", MIRROR, TYPED_PACKAGES)


def _importer(importer: environments.Environment) -> Iterator[Check]:
    """The artefact, built and then judged as Galaxy would."""
    ARTEFACT.mkdir(parents=True, exist_ok=True)
    for old in ARTEFACT.glob("*.tar.gz"):
        old.unlink()
    program = Path(__file__).with_name("galaxy_import.sh")
    variables = importer.variables() | {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
    variables["ANSIBLE_COLLECTIONS_PATH"] = os.devnull
    yield Check(
        "galaxy-importer", ["bash", str(program), str(MIRROR), str(ARTEFACT)], BUILD, variables, _no_word_of_warning
    )


def _no_word_of_warning(code: int, output: str) -> Outcome:
    """galaxy-importer exits with 0 whatever ansible-lint and its own checks warn of."""
    warnings = [line for line in output.splitlines() if re.match(r"(WARNING|ERROR)\b", line)]
    if code == 0 and warnings:
        return Outcome("", failed=1, why=f"{len(warnings)} warnings")
    return by_exit_code(code, output)
