"""Go functions with random bodies that wait somewhere in them, and the judge of what a snapshot says of their variables.

The oracle is the source: each function has a twin that, where the first waits, tells its variables' values instead, and behind
every statement what they are.

A variable that nothing uses any more may be shown as what it was before: such a one has to be something that it ever was. So it is
with those that are assigned what ARCHITECTURE.md says to leave no trace in the code: constants, copies of numbers, parts of another
variable, and arithmetic that a later expression takes up.
"""

from tests.bodies.body import Body, spec_of
from tests.bodies.judging import Told, Verdict, judge, told
from tests.bodies.writer import written

__all__ = ["Body", "Told", "Verdict", "judge", "spec_of", "told", "written"]
