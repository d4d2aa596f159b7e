"""Training: the loop, batches, schedules, checkpoints. Nothing here draws.

``tl.fit`` is the loop, ``fit.py``, which one reads in a minute; all the rest is what it can be given.

>>> import tinygrad_lstm as tl
>>> tl.training.cosine(0.1, steps=4)(1)
0.1
"""

from .batches import Padded as Padded
from .batches import Shuffled as Shuffled
from .batches import pad as pad
from .checkpoint import Checkpoint as Checkpoint
from .fault import Fault as Fault
from .fit import Moment as Moment
from .log import Log as Log
from .sampling import sample as sample
from .schedules import Plateau as Plateau
from .schedules import constant as constant
from .schedules import cosine as cosine
from .schedules import step_decay as step_decay
from .schedules import warm_up as warm_up
from .streams import Streams as Streams
from .streams import TruncatedLoss as TruncatedLoss
from .streams import Window as Window
from .streams import stream_loss as stream_loss
from .text import Vocabulary as Vocabulary
from .text import read_text as read_text
from .validation import Validation as Validation
from .watch import Watch as Watch
