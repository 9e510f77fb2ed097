"""Go functions with parameters and variables of random types, random values in them, and expressions that go into these.

The program tells by its own reflection (word.go of the zoo) what all of them are; a snapshot has to say the same. An
expression that would panic means nothing, and has to be NULL with a reason.
"""

from tests.values.functions import written

__all__ = ["written"]
