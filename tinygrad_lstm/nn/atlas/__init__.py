"""An atlas of published recurrent cells: twelve, as their papers write them, ready to be drawn, stepped and proved.

``ATLAS`` has each by the name that commands use, with its paper, its equations and what differs. The RNN, the LSTM, its
peephole and coupled variants and the GRU are those of ``tl.nn``; the others have their classes here. All are
``tl.nn.Cell``s.

>>> import tinygrad_lstm as tl
>>> layer = tl.nn.Recurrent(tl.nn.atlas.MGUCell(3, 4, rng=0))
>>> [(name, each.year) for name, each in tl.nn.atlas.ATLAS.items() if each.year < 2000]
[('rnn', 1990), ('lstm-1997', 1997)]
"""

from .cells import JANETCell, LSTM1997Cell, MGUCell, RANCell, UGRNNCell
from .entries import ATLAS, Published
from .minimal import MinGRUCell, MinLSTMCell

__all__ = [
    "ATLAS",
    "JANETCell",
    "LSTM1997Cell",
    "MGUCell",
    "MinGRUCell",
    "MinLSTMCell",
    "Published",
    "RANCell",
    "UGRNNCell",
]
