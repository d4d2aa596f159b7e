"""What each operation of the page of derivatives computes, under its name: ``help`` and editors show it.

What its kind tells of all alike, such as that shapes broadcast, is added to it. What has a public name has an example
that a test runs.
"""


def add() -> None:
    """Return a + b."""


def sub() -> None:
    """Return a − b."""


def mul() -> None:
    """Return a · b, number by number."""


def div() -> None:
    """Return a / b, number by number. It has no value at b = 0."""


def neg() -> None:
    """Return −x."""


def pow() -> None:
    """Return aᵇ, number by number; a negative base has a value for whole b only.

    The derivative in b is aᵇ log a, and is taken as 0 where a is 0 or less: (−2)ᵇ is no real function of b.
    """


def greater() -> None:
    """Return 1 where a > b and 0 elsewhere: constant almost everywhere, so that no gradient flows."""


def equal() -> None:
    """Return 1 where a = b and 0 elsewhere: constant almost everywhere, so that no gradient flows."""


def exp() -> None:
    """Return eˣ.

    >>> tl.exp(tl.tensor([-1, 0, 2]))
    tensor([0.3679, 1.    , 7.3891], made by exp)
    """


def log() -> None:
    """Return the natural logarithm of x, for x > 0.

    >>> tl.log(tl.exp(tl.tensor([-1, 0, 2])))
    tensor([-1.,  0.,  2.], made by log)
    """


def sqrt() -> None:
    """Return √x, for x ≥ 0. Its derivative is infinite at 0.

    >>> tl.sqrt(tl.tensor([0, 1, 9]))
    tensor([0., 1., 3.], made by sqrt)
    """


def expm1() -> None:
    """Return eˣ − 1, with all its digits also where x is small.

    >>> tl.expm1(tl.tensor([-1, 0, 1e-20])).tolist()[1:]
    [0.0, 1e-20]
    """


def log1p() -> None:
    """Return log(1 + x), for x > −1, with all its digits also where x is small.

    >>> tl.log1p(tl.tensor([0, 1e-20])).tolist()
    [0.0, 1e-20]
    """


def sin() -> None:
    """Return the sine of x, in radians.

    >>> tl.sin(tl.tensor([-1, 0, 2]))
    tensor([-0.8415,  0.    ,  0.9093], made by sin)
    """


def cos() -> None:
    """Return the cosine of x, in radians.

    >>> tl.cos(tl.tensor([-1, 0, 2]))
    tensor([ 0.5403,  1.    , -0.4161], made by cos)
    """


def arctan() -> None:
    """Return the angle whose tangent is x, in radians, between −π/2 and π/2.

    >>> tl.arctan(tl.tensor([-1, 0, 2]))
    tensor([-0.7854,  0.    ,  1.1071], made by arctan)
    """


def erf() -> None:
    """Return the error function, 2/√π ∫₀ˣ e^(−t²) dt, between −1 and 1.

    >>> tl.erf(tl.tensor([-1, 0, 2]))
    tensor([-0.8427,  0.    ,  0.9953], made by erf)
    """


def erfc() -> None:
    """Return 1 − erf x, with all its digits also far out on the right (Shepherd & Laframboise 1981).

    >>> tl.erfc(tl.tensor([-1, 0, 2]))
    tensor([1.8427, 1.    , 0.0047], made by erfc)
    """


def floor() -> None:
    """Return the largest whole number that is not above x: constant almost everywhere, so that no gradient flows.

    >>> tl.floor(tl.tensor([-0.5, 0, 2.5]))
    tensor([-1.,  0.,  2.], made by floor)
    """


def tanh() -> None:
    """Return the hyperbolic tangent of x, (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), between −1 and 1.

    >>> tl.tanh(tl.tensor([-1, 0, 2]))
    tensor([-0.7616,  0.    ,  0.964 ], made by tanh)
    """


def sigmoid() -> None:
    """Return the logistic function σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1: how far a gate is open.

    >>> tl.sigmoid(tl.tensor([-1, 0, 2]))
    tensor([0.2689, 0.5   , 0.8808], made by sigmoid)
    """


def softplus() -> None:
    """Return log(1 + eˣ), a smooth relu, without overflow (Dugas et al. 2001). Its derivative is σ(x).

    >>> tl.softplus(tl.tensor([-1, 0, 2]))
    tensor([0.3133, 0.6931, 2.1269], made by softplus)
    """


def relu() -> None:
    """Return x where x > 0 and 0 elsewhere (Nair & Hinton 2010). At 0 its derivative is taken as ½.

    >>> tl.relu(tl.tensor([-1, 0, 2]))
    tensor([0., 0., 2.], made by relu)
    """


def abs() -> None:
    """Return |x|. At 0 its derivative is taken as 0.

    >>> abs(tl.tensor([-1, 0, 2]))
    tensor([1., 0., 2.], made by abs)
    """


def maximum() -> None:
    """Return the larger of a and b. At a tie each gets half the gradient.

    >>> tl.maximum(tl.tensor([-1, 0, 2]), 1)
    tensor([1., 1., 2.], made by maximum)
    """


def minimum() -> None:
    """Return the smaller of a and b. At a tie each gets half the gradient.

    >>> tl.minimum(tl.tensor([-1, 0, 2]), 1)
    tensor([-1.,  0.,  1.], made by minimum)
    """


def where() -> None:
    """Return a where condition is not 0 and b elsewhere. No gradient flows into condition.

    >>> tl.where(np.array([True, False]), tl.tensor([1, 2]), 0.0)
    tensor([1., 0.], made by where)
    """


def sum() -> None:
    """Return the sum of x.

    >>> tl.sum(tl.tensor([-1, 0, 2]))
    tensor(1., made by sum)
    """


def mean() -> None:
    """Return the mean of x.

    >>> tl.mean(tl.tensor([-1, 0, 2])).item() == 1 / 3
    True
    """


def max() -> None:
    """Return the largest of x. Of k equal ones each gets 1/k of the gradient.

    >>> tl.max(tl.tensor([-1, 0, 2]))
    tensor(2., made by max)
    """


def min() -> None:
    """Return the smallest of x. Of k equal ones each gets 1/k of the gradient.

    >>> tl.min(tl.tensor([-1, 0, 2]))
    tensor(-1., made by min)
    """


def logsumexp() -> None:
    """Return log Σ eˣ, without overflow (Blanchard, Higham & Higham 2021). Its derivative is softmax(x).

    >>> tl.logsumexp(1000 + tl.tensor([-1, 0, 2]))
    tensor(1002.1698, made by logsumexp)
    """


def softmax() -> None:
    """Return eˣ / Σ eˣ along an axis, numbers between 0 and 1 that add up to 1 (Bridle 1990).

    >>> tl.softmax(tl.tensor([-1, 0, 2]))
    tensor([0.042 , 0.1142, 0.8438], made by softmax)
    """


def log_softmax() -> None:
    """Return x − log Σ eˣ along an axis, the logarithm of softmax, without its underflow; none is above 0.

    >>> tl.log_softmax(tl.tensor([-1, 0, 2]))
    tensor([-3.1698, -2.1698, -0.1698], made by log_softmax)
    """


def matmul() -> None:
    """Return the matrix product a b, in all of numpy's shapes; raises ShapeError where the inner sides differ.

    (m, k) @ (k, n) → (m, n); (k) is a row on the left and a column on the right; further axes on the left are batches,
    which broadcast.
    """


def reshape() -> None:
    """Return the numbers of x in another shape, row by row; one side may be −1, which is what is left.

    >>> tl.reshape(tl.tensor([-1, 0, 2]), (3, 1)).shape
    (3, 1)
    """


def transpose() -> None:
    """Return x with its axes in another order, or reversed (None).

    >>> tl.transpose(tl.tensor([[1, 2]]))
    tensor([[1.],
            [2.]], made by transpose)
    """


def broadcast_to() -> None:
    """Return x stretched to a shape that it broadcasts to.

    >>> tl.broadcast_to(tl.tensor([-1, 0, 2]), (2, 3))
    tensor([[-1.,  0.,  2.],
            [-1.,  0.,  2.]], made by broadcast_to)
    """


def getitem() -> None:
    """Return x[index]: integers, slices, None, ..., arrays of integers or booleans, as in numpy."""


def index_add() -> None:
    """Return zeros of a shape with x added in at index; places named twice add up. The transpose of indexing."""
