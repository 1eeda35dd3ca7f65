# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What actions of modules that use the state store add to their arguments.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core.state.location import parse_location
from ._action import InProcessAction
from ._state_location import location_of_task


class StateAction(InProcessAction):
    """Takes the location of the store from the variable ``hearth_state``, and any password out of it.

    The password travels in an option of its own, which nothing shows; the location is shown.
    """

    def arguments(self, given: dict[str, t.Any], variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        said = given.get("hearth_state") or location_of_task(variables, self.template)
        if not said:
            # The environment and the default count on the machine where the work is done.
            return given
        place = parse_location(str(said))
        arguments = {**given, "hearth_state": place.without_password if place.password else str(said)}
        if place.password and not given.get("hearth_state_password"):
            arguments["hearth_state_password"] = place.password
        return arguments
