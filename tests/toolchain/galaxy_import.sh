#!/usr/bin/env bash
# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: galaxy_import.sh COLLECTION DIRECTORY
# Builds the artefact of COLLECTION into DIRECTORY and has galaxy-importer judge it there.
set -euo pipefail
collection=$1
directory=$2

ansible-galaxy collection build --force --output-path "$directory" "$collection"
cd "$directory"
python -m galaxy_importer.main ./*.tar.gz
