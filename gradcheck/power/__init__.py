"""What the checks would catch: `power` plants faults in a correct subject and tells."""

from gradcheck.power.bends import BENDS
from gradcheck.power.planting import Planted, describe_power, power
from gradcheck.power.states import STATEFUL

__all__ = ["BENDS", "STATEFUL", "Planted", "describe_power", "power"]
