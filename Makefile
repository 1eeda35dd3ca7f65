# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Each target installs what it needs: Debian packages when root, virtual environments under the checkout. See tests/toolchain/.

PYTHON ?= python3
TOOLCHAIN := $(PYTHON) -m tests.toolchain

.DEFAULT_GOAL := help
.PHONY: help demo test lint sanity unit integration rack test-lab bench rack-up rack-down clean

help:  ## what can be made here
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo:  ## an emulated rack; then, as root on Debian, a virtual one whose machines boot into the live image
	@$(TOOLCHAIN) demo

test:  ## lint, sanity, unit, integration and one pass over a virtual rack; ends with seconds per stage and the count
	@$(TOOLCHAIN) test

lint:  ## everything that only reads the files: formatting, types, licences, docs, galaxy-importer
	@$(TOOLCHAIN) lint

sanity:  ## ansible-test sanity, all tests, on every supported Python here
	@$(TOOLCHAIN) sanity

unit:  ## pytest on the oldest and the newest supported Python and ansible-core here
	@$(TOOLCHAIN) unit

integration:  ## Ansible against emulated fleets and real servers, molecule, the built artefact
	@$(TOOLCHAIN) integration

rack:  ## one machine of a virtual rack, from its discovery to the live image (as root)
	@$(TOOLCHAIN) rack

test-lab:  ## every scenario of the virtual rack, as long as it takes (as root); SCENARIO=name runs one
	@$(TOOLCHAIN) test-lab $(SCENARIO)

bench:  ## measure into build/bench.json; NAME=group runs one group
	@$(TOOLCHAIN) bench $(NAME)

rack-up:  ## virtual machines with UEFI, TPM and BMC, as root; SET="rack_machines=1 …" sets variables of the role
	@$(TOOLCHAIN) rack-up $(SET)

rack-down:  ## take the virtual rack away with everything that it made
	@$(TOOLCHAIN) rack-down

clean:  ## remove build/, the virtual environments and the tools' caches
	@$(TOOLCHAIN) clean
