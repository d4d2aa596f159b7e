"""Mutants that no check can catch because nothing is wrong with what they compute, and why."""

_SYMMETRIC = "a function that is the same in either order of its arguments"
_SAME_PATH = "a shortcut; the long way gives the same numbers"
_MESSAGE = "only what a message or a name in a picture says"
_OVERWRITTEN = "a partial sum is kept, and the complete one overwrites it later"
_PRUNING = "only decides how much work is done besides"
_IN_PLACE = "whether a sum is written in place, which gives the same numbers"
_ALIKE = "any member of a family may be asked, since all are alike"
_LONG_ENOUGH = "a loop has two steps, at least, and what is read of it here a step of its own"
_FOUND_BEFORE = "what reads another step is found by the line before, whatever it reads there"
_ANY_ORDER = "what is asked is whether something is among them"
_NO_OTHER = "no rule returns another partial, or one that places numbers in another shape than the input's"

EQUIVALENT: dict[str, str] = {
    "max: swap the arguments at equal(x, _spread(y, x, axis))": _SYMMETRIC,
    "min: swap the arguments at equal(x, _spread(y, x, axis))": _SYMMETRIC,
    "forward of einsum: the other truth at True": "which products come first, and no number",
    "forwards.erfc: another number at 0.5": "where both of its formulas are accurate",
    "forwards.erfc: swap the arguments at np.maximum(x, 0)": _SYMMETRIC,
    "forwards._erf: swap the arguments at np.minimum(size, 1)": _SYMMETRIC,
    "forwards._erf: another number at 1 (4)": "what is computed beyond 1 is not taken",
    "forwards._along_reals: another operator at np.real(x) * np.float64(1)": "a factor of 1 that only makes it float64",
    "forwards._erf: another number at 0": "the sign is asked for only beyond 1",
    "forwards._tail: swap the arguments at np.minimum(x, 40)": _SYMMETRIC,
    "forwards._tail: another number at 40": "it may be held anywhere where its exponential is 0",
    "_step: swap the arguments at equal(a, b)": _SYMMETRIC,
    "_lower: swap the arguments at equal(*": _SYMMETRIC,
    "_log_of_base: swap the arguments at equal(a, 0)": _SYMMETRIC,
    "_lower: another number at 1": "the base of a power that is multiplied by an exponent of 0",
    "_Attending.forward: another number at 0": "what stands in a key that is masked has no weight",
    "_Attending.forward: another number at 0 (4)": "what stands in a value that is masked has no weight",
    "mse_loss: swap the operands at prediction - target": "a difference that is squared",
    "l1_loss: swap the operands at prediction - target": "a difference of which the size is taken",
    "smooth_l1_loss: swap the operands at prediction - target": "a difference of which the size is taken",
    "_huber: swap the arguments at minimum(size, bound)": _SYMMETRIC,
    "_surprise: lose a minus at -1*": "of rows, the second axis is the last",
    "_rows: another number at 2 (2)": _SAME_PATH,
    "Optimizer.step: drop a condition at self.weight_decay and self.decoupled": _SAME_PATH,
    "RMSprop.update: another operator at alpha * state.get('m', 0.0)*": "a mean of which the square is taken",
    "RMSprop.update: swap the operands at 1 - alpha (2)": "a mean of which the square is taken",
    "dropout: drop a condition at not training or p == 0 (2)": "with a chance of 0 all is kept in any case",
    "dropout: another number at 0 (2)": "with a chance of 0 all is kept in any case",
    "dropout: another number at 1": "which chance is refused; the tests of messages are for that",
    "forward of relu: swap the arguments at np.maximum(x, 0)": _SYMMETRIC,
    "transpose: the other name at x": "only the number of its axes is asked for, and the result has as many",
    "forward of greater: the other name at *": "only the type of its zeros and ones, which are exact in either",
    "forward of equal: the other name at *": "only the type of its zeros and ones, which are exact in either",
    "forwards.indicator: the other name at *": "only the type of its zeros and ones, which are exact in either",
    "forwards.indicator: swap the arguments at np.result_type(a, b)": _SYMMETRIC,
    "forwards.indicator: exchange contributions at (np.float32, np.complex64)": _SYMMETRIC,
    "forwards.softplus: another number at 0": "between 0 and 1 both of its formulas are stable",
    "forwards._largest: another number at 0": "what is subtracted where all is infinite does not matter",
    "forwards.sigmoid: swap the arguments at np.minimum*": _SYMMETRIC,
    "forwards.sigmoid: another number at 700": "it may be held anywhere where 1 adds nothing to e to the x",
    "forwards.sigmoid: another number at 88": "it may be held anywhere where 1 adds nothing to e to the x",
    "forwards.log1p: drop a term at a * (2 + a) + b * b": "b is the imaginary part, 1e-100, and b² is nothing",
    "forwards.log1p: another operator at a * (2 + a) + b * b": "b is the imaginary part, 1e-100, and b² is nothing",
    "forwards.log1p: drop a factor at b * b*": "b is the imaginary part, 1e-100, and nothing beside the real one",
    "forwards.log1p: the other name at b (*": "b is the imaginary part, 1e-100, and nothing beside the real one",
    "Recurrent.forward: another number at 0 (3)": "a step is asked for its shape, and all have the same",
    "_layer: drop a condition at x.name is None*": _MESSAGE,
    "_layer: turn a condition around at *": _MESSAGE,
    "advance_within: another number at 0": "all parts of a state are of one type",
    "_matmul_rule: turn a condition around at a.ndim > 2": _SAME_PATH,
    "_matmul_rule: another number at 2*": _SAME_PATH,
    "_matmul_rule: drop a condition at b.ndim == 2 and a.ndim > 2*": _SAME_PATH,
    "_matmul_rule: the other name at b (5)": _SAME_PATH,
    "_matmul_rule: the other name at a (4)": _SAME_PATH,
    "_matmul_rule: lose a minus at -1 (3)": "of a matrix, the second axis is the last",
    "forwards.matmul: another number at 2*": _SAME_PATH,
    "forwards.matmul: the other name at a (3)": "with a matrix on the right, np.dot and np.matmul are the same",
    "_initial: another number at 1*": "only what shape a refusal asks for",
    "_initial: lose a minus at -1": "only what shape a refusal asks for",
    "_apply: drop a condition at type(product) is np.ndarray*": _SAME_PATH,
    "_apply: turn a condition around at type(product) is np.ndarray": _SAME_PATH,
    "_apply: the other truth at False": "whether shape and type are found right once more",
    "_apply: drop a condition at node.primitive and node.primitive.rule": "every node of the walk has both",
    "_apply: swap the arguments at rule_failed(node, upstream)": _MESSAGE,
    "forwards._or_1: another number at 1": "what nothing is divided by",
    "_steps: drop a condition at watched or create_graph or bool(detecting_nan) (3)": "only which gradient is named",
    "_steps: drop a condition at not watched and type(before) is np.ndarray and bef*": _IN_PLACE,
    "_steps: turn a condition around at not watched": _IN_PLACE,
    "_steps: turn a condition around at type(before) is np.ndarray": _IN_PLACE,
    "_steps: swap the arguments at np.add(before, contribution, out=before)": _SYMMETRIC,
    "_steps: the other name at before (7)": _IN_PLACE,
    "_steps: the other name at before (8)": _IN_PLACE,
    "_apply: swap the arguments at _fits_in_place(product, value)": _IN_PLACE,
    "backward: the other truth at False (2)": _IN_PLACE,
    "gradients: the other truth at False (2)": _IN_PLACE,
    "_placed: the other truth at True": "whether the class of an array is kept, which for plain ones is the same",
    "_fits_in_place: drop a condition at type(product) is partial and getattr(product.func, (2)": _NO_OTHER,
    "_fits_in_place: drop a condition at bool(into) and product.keywords.get('shape') == va (2)": _NO_OTHER,
    "_fits_in_place: turn a condition around at product.keywords.get*": _IN_PLACE,
    "_plan: another number at 0": "nobody counts what arrives at the output",
    "_plan: drop a condition at x.requires_grad and *": _PRUNING,
    "_owned: another number at 1": "copies a sum that nobody else holds",
    "_owned: drop a condition at step.arrived > 1 or step.node.primitive.fresh": "copies a sum that nobody else holds",
    "_owned: drop a condition at step.arrived > 1 or step.node.primitive.fresh (2)": "copies what a program made anew",
    "backward: drop a condition at step.arrived == step.expected*": _OVERWRITTEN,
    "rolling._is_same_constant: swap the arguments at np.array_equal(x.value, head.value)": _SYMMETRIC,
    "rolling._add_loop: another number at 0 (3)": _ALIKE,
    "rolling._whole_family: drop a condition at loop is None or not isinstance(head.index, Fixed)  (2)": _LONG_ENOUGH,
    "rolling._whole_family: drop a condition at loop is None or not isinstance(head.index, Fixed)  (3)": _LONG_ENOUGH,
    "merging.MergedProducts._is_own: exchange contributions at (None, HERE)": _ANY_ORDER,
    "merging.MergedPointwise.prepare: another number at 0*": _ALIKE,
    "rewriting.is_product: exchange contributions at (1, 2)": _ANY_ORDER,
    "rewriting.changed_by_steps: drop a condition at ref.of in found and ref.index == HERE (2)": _FOUND_BEFORE,
}
"""By name, or by a beginning of it followed by ``*``."""


def why(name: str) -> str | None:
    return next(
        (
            reason
            for key, reason in EQUIVALENT.items()
            if key == name or (key.endswith("*") and name.startswith(key[:-1]))
        ),
        None,
    )
