# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC that speaks RMCP+ (IPMI 2.0 over LAN), with manners that no real peer here has: cipher suite 17, suite 0, lies.

>>> with RmcpPeer("127.63.1.1", manners=Manners(suites=(17, 3))) as peer: ...
"""
