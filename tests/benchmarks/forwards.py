"""Networks as people write them for PyTorch, each in another hand: what ``tl.from_torch`` must run as it stands."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

D, H, V = 3, 4, 7


class ByEquations(nn.Module):
    """As in "Dive into Deep Learning": a matrix for each gate, a loop over the first axis, a state that is given."""

    def __init__(self) -> None:
        super().__init__()
        for gate in "ifoc":
            self.register_parameter(f"W_x{gate}", nn.Parameter(torch.randn(D, H)))
            self.register_parameter(f"W_h{gate}", nn.Parameter(torch.randn(H, H)))
            self.register_parameter(f"b_{gate}", nn.Parameter(torch.zeros(H)))

    def gate(self, name: str, x: Any, h: Any) -> Any:
        weights = (getattr(self, f"{which}{name}") for which in ("W_x", "W_h", "b_"))
        of_x, of_h, bias = weights
        return torch.matmul(x, of_x) + torch.matmul(h, of_h) + bias

    def forward(self, inputs: Any, state: Any = None) -> Any:
        if state is None:
            h = torch.zeros((inputs.shape[1], H), device=inputs.device)
            c = torch.zeros((inputs.shape[1], H), device=inputs.device)
        else:
            h, c = state
        outputs = []
        for x in inputs:
            i, f, o = (torch.sigmoid(self.gate(name, x, h)) for name in "ifo")
            c = f * c + i * torch.tanh(self.gate("c", x, h))
            h = o * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)


class Peephole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(D, 4 * H), nn.Linear(H, 4 * H, bias=False)
        self.peep = nn.ParameterList([nn.Parameter(torch.randn(H)) for _ in range(3)])
        self.scale = nn.ParameterDict({"in": nn.Parameter(torch.randn(1))})

    def forward(self, x: Any) -> Any:
        h, c, out = x.new_zeros(x.shape[0], H), x.new_zeros(x.shape[0], H), []
        for xt in x.unbind(1):
            i, f, g, o = (self.x2h(xt * self.scale["in"]) + self.h2h(h)).chunk(4, dim=1)
            i, f = torch.sigmoid(i + self.peep[0] * c), torch.sigmoid(f + self.peep[1] * c)
            c = f * c + i * g.tanh()
            h = (o + self.peep[2] * c).sigmoid() * c.tanh()
            out.append(h.unsqueeze(1))
        return torch.cat(out, dim=1)


class Minimal(nn.Module):
    """Feng et al. (2024), "Were RNNs All We Needed?"."""

    def __init__(self) -> None:
        super().__init__()
        self.both = nn.Linear(D, 2 * H)

    def forward(self, x: Any, h0: Any = None) -> Any:
        hidden, gate = self.both(x).chunk(2, dim=-1)
        new, z = torch.where(hidden >= 0, hidden + 0.5, hidden.sigmoid()), torch.sigmoid(gate)
        h, out = torch.zeros_like(hidden[:, 0]) if h0 is None else h0, []
        for t in range(x.size(1)):
            h = torch.lerp(h, new[:, t], z[:, t])
            out.append(h)
        return torch.stack(out, dim=1)


class Characters(nn.Module):
    """As in PyTorch's tutorial on names: one-hot letters, and [x, h] in one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2o, self.softmax = nn.Linear(V + H, H), nn.Linear(H, V), nn.LogSoftmax(dim=1)

    def step(self, letter: Any, hidden: Any) -> Any:
        hidden = torch.tanh(self.i2h(torch.cat((letter, hidden), 1)))
        return self.softmax(self.h2o(hidden)), hidden

    def forward(self, words: Any) -> Any:
        hidden, letters = torch.zeros(words.size(0), H), F.one_hot(words, V)
        for t in range(words.size(1)):
            output, hidden = self.step(letters[:, t], hidden)
        return output


class Additive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.Wa, self.Ua, self.Va = nn.Linear(H, H), nn.Linear(H, H), nn.Linear(H, 1)

    def forward(self, query: Any, keys: Any) -> Any:
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights


class Translator(nn.Module):
    """As in PyTorch's tutorial on translation: an encoder, an attention, a decoder that reads what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.encoder = nn.Embedding(V, H), nn.GRU(H, H, batch_first=True)
        self.attention, self.decoder = Additive(), nn.GRU(2 * H, H, batch_first=True)
        self.out, self.forced = nn.Linear(H, V), False

    def forward(self, words: Any) -> Any:
        keys, h = self.encoder(F.dropout(self.words(words), 0.1, self.training))
        said, outputs = torch.empty(words.size(0), 1, dtype=torch.long).fill_(0), []
        for t in range(4):
            context, _ = self.attention(h.permute(1, 0, 2), keys)
            y, h = self.decoder(torch.cat((self.words(said), context), dim=2), h)
            outputs.append(self.out(y))
            said = words[:, t].unsqueeze(1) if self.forced else outputs[-1].topk(1)[1].squeeze(-1).detach()
        return F.log_softmax(torch.cat(outputs, dim=1), dim=-1), h


class Forced(Translator):
    def __init__(self) -> None:
        super().__init__()
        self.forced = True


class Luong(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.emb, self.rnn = nn.Embedding(V, H, padding_idx=0), nn.LSTM(H, H, batch_first=True)
        self.attn, self.fc = nn.Linear(H, H, bias=False), nn.Linear(2 * H, V)

    def forward(self, words: Any) -> Any:
        mask = words.ne(3)
        y, (h, _) = self.rnn(self.emb(words))
        scores = torch.bmm(self.attn(y), h[-1].unsqueeze(2)).squeeze(2).masked_fill(~mask, -1e9)
        context = torch.einsum("bt,bth->bh", F.softmax(scores, dim=1), y)
        return self.fc(torch.cat([context, h[-1]], -1))


class Recogniser(nn.Module):
    """The head of a CRNN, Shi et al. (2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.embedding = nn.LSTM(D, H, bidirectional=True), nn.Linear(2 * H, V)

    def forward(self, x: Any) -> Any:
        y, _ = self.rnn(x.permute(1, 0, 2))
        T, b, h = y.size()
        return self.embedding(y.contiguous().view(T * b, h)).view(T, b, -1).log_softmax(2)


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = nn.GRU(D, H, bidirectional=True, batch_first=True), nn.Linear(2 * H, 2)

    def forward(self, x: Any, lengths: Any) -> Any:
        y, h = self.rnn(pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=True))
        y, _ = pad_packed_sequence(y, batch_first=True)
        at = (lengths - 1).view(-1, 1).expand(len(lengths), y.size(2)).unsqueeze(1)
        last = y.gather(1, at).squeeze(1)
        return self.fc(last) + self.fc(torch.cat([h[0], h[1]], 1)), y.max(dim=1)[0], y.sum(1) / lengths.unsqueeze(1)


class Stacked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells, self.norm = nn.ModuleList([nn.GRUCell(D, H), nn.GRUCell(H, H)]), nn.LayerNorm(H)

    def forward(self, x: Any) -> Any:
        states, out = [x.new_zeros((x.size(1), H)) for _ in self.cells], []
        for t in range(x.size(0)):
            y = x[t]
            for k, cell in enumerate(self.cells):
                states[k] = y = cell(y, states[k])
            out.append(self.norm(y))
        return torch.stack(out, dim=0), torch.stack(states)


class Split(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ih, self.hh = nn.Linear(D, 4 * H), nn.Linear(H, 4 * H)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(H), 1 / math.sqrt(H))

    def forward(self, x: Any) -> Any:
        h = c = torch.zeros(x.size(0), H).to(x)
        for t in range(x.size(1)):
            i, f, g, o = (self.ih(x[:, t, :]) + self.hh(h)).split(H, dim=-1)
            c = torch.mul(c, torch.sigmoid(f)) + torch.mul(torch.sigmoid(i), torch.tanh(g))
            h = torch.mul(torch.sigmoid(o), torch.tanh(c))
        return h


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(D, H)
        self.register_buffer("lengths", torch.tensor([5, 3]))

    def forward(self, x: Any) -> Any:
        mask = torch.arange(x.size(1)).unsqueeze(0) < self.lengths.unsqueeze(1)
        h, c = torch.zeros(x.size(0), H), torch.zeros(x.size(0), H)
        for t in range(x.size(1)):
            within = mask[:, t].unsqueeze(1)
            h_new, c_new = self.cell(x[:, t], (h, c))
            h, c = within.double() * h_new + (1 - within.double()) * h, torch.where(within, c_new, c)
        return h, c


class Causal(nn.Module):
    """Attention as in minGPT, and by PyTorch's own function."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(D, 3 * H)
        self.register_buffer("tri", torch.tril(torch.ones(5, 5)))

    def forward(self, x: Any) -> Any:
        B, T, _ = x.shape
        q, k, v = (part.view(B, T, 2, H // 2).transpose(1, 2) for part in self.qkv(x).split(H, dim=2))
        scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        scores = scores.masked_fill(self.tri[:T, :T] == 0, float("-inf"))
        y = F.softmax(scores, dim=-1) @ v + F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).contiguous().view(B, T, H)


class Independent(nn.Module):
    """Li et al. (2018), "IndRNN"."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.u, self.b = (nn.Parameter(torch.randn(*shape)) for shape in ((H, D), (H,), (H,)))

    def forward(self, x: Any) -> Any:
        h = torch.zeros(x.size(0), H, dtype=torch.get_default_dtype())
        for xt in torch.unbind(x, dim=1):
            h = F.relu(F.linear(xt, self.w, self.b) + self.u * h)
        return h


class Language(nn.Module):
    """As in PyTorch's example of a language model: a tied decoder, zeros of a parameter's type, a loss inside."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.rnn, self.decoder = nn.Embedding(V, H), nn.LSTM(H, H, 2, dropout=0.2), nn.Linear(H, V)
        self.decoder.weight = self.encoder.weight

    def init_hidden(self, batch: int) -> Any:
        weight = next(self.parameters())
        return weight.new_zeros(2, batch, H), weight.new_zeros(2, batch, H)

    def forward(self, words: Any) -> Any:
        words = words.t()
        y, _ = self.rnn(self.encoder(words), self.init_hidden(words.size(1)))
        scores = self.decoder(y).view(-1, V)
        return F.log_softmax(scores, dim=1), F.cross_entropy(scores, words.reshape(-1))


class Shifted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.l, self.alpha = nn.Linear(D, D), nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Any) -> Any:
        before, around = F.pad(x, (0, 0, 1, 0))[:, :-1], torch.roll(x, 1, 1)
        centred = around.mean(1, keepdim=True) - x.std(dim=1, keepdim=True)
        return self.l(before) * self.alpha + centred + torch.flip(x, [1]) * x.amax(2, keepdim=True)


class Memory(nn.Module):
    """A memory that is read by likeness, as in Graves et al. (2014)."""

    def __init__(self) -> None:
        super().__init__()
        self.key, self.cell, self.memory = nn.Linear(D, H), nn.LSTMCell(H, H), nn.Parameter(torch.randn(6, H))

    def forward(self, x: Any) -> Any:
        h, c, memory = torch.zeros(len(x), H), torch.zeros(len(x), H), self.memory.unsqueeze(0).expand(len(x), -1, -1)
        for t in range(x.size(1)):
            likeness = F.cosine_similarity(memory, self.key(x[:, t]).tanh().unsqueeze(1), dim=-1)
            w = F.softmax(2.0 * likeness, dim=1)
            h, c = self.cell(torch.matmul(w.unsqueeze(1), memory).squeeze(1), (h, c))
            memory = memory * (1 - w.unsqueeze(-1) * h.sigmoid().unsqueeze(1)) + w.unsqueeze(-1) * h.unsqueeze(1)
        return h, memory


class Clockwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wx, self.wh, self.periods = nn.Linear(D, H), nn.Linear(H, H), torch.tensor([1, 1, 2, 4])

    def forward(self, x: Any) -> Any:
        h = torch.zeros(x.size(0), H)
        for t in range(x.size(1)):
            h = torch.where((t % self.periods) == 0, torch.tanh(self.wx(x[:, t]) + self.wh(h)), h)
        return h


REAL, STEPS, WORDS = torch.randn(2, 5, D), torch.randn(5, 2, D), torch.randint(1, V, (2, 5))

FORWARDS: dict[type[nn.Module], tuple[Any, ...]] = {
    ByEquations: (STEPS,),
    Peephole: (REAL,),
    Minimal: (REAL,),
    Characters: (WORDS,),
    Translator: (WORDS,),
    Forced: (WORDS,),
    Luong: (WORDS,),
    Recogniser: (REAL,),
    Packed: (REAL, torch.tensor([5, 3])),
    Stacked: (STEPS,),
    Split: (REAL,),
    Masked: (REAL,),
    Causal: (REAL,),
    Independent: (REAL,),
    Language: (WORDS,),
    Shifted: (REAL,),
    Memory: (REAL,),
    Clockwork: (REAL,),
}
"""The networks, and what each is called with."""
