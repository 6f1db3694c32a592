"""The little world that every demo model knows, as data, and the conversations about it.

It knows no tokenizer, template or weights: a family brings those, and a `Manner` of speaking.
"""

from training.world.conversations import Conversation, make_conversation
from training.world.manners import MANNERS, Manner
from training.world.tasks import Turn

__all__ = ["MANNERS", "Conversation", "Manner", "Turn", "make_conversation"]
