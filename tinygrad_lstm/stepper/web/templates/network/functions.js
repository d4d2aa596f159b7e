// What numpy's functions compute of one number or of two, and all that an instruction can name.

/** To the nearest whole number; halves to the even one. */
function rounded(x) {
  const down = Math.floor(x);
  if (!Number.isFinite(x) || x - down !== 0.5) return Math.round(x);
  return down % 2 ? down + 1 : down;
}

/** What is left of a division whose quotient is rounded down: it has the sign of the divisor. */
function remainder(a, b) {
  if (Math.abs(b) === Infinity && Number.isFinite(a)) return a === 0 || a > 0 === b > 0 ? a : b;
  const left = a % b;
  return left !== 0 && left < 0 !== b < 0 ? left + b : left;
}

/** A quotient rounded down, from what is left, so that it is exact. */
function floorDivide(a, b) {
  if (Number.isFinite(a) && Math.abs(b) === Infinity) return a !== 0 && a > 0 !== b > 0 ? -1 : 0;
  if (b === 0 || Number.isNaN(a) || Number.isNaN(b)) return a / b;
  if (Math.abs(a) === Infinity) return NaN;
  return Math.round((a - remainder(a, b)) / b);
}

function power(a, b) {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1; // JavaScript: not a number
  return a ** b;
}

function logaddexp(a, b) {
  if (a === b) return a + Math.LN2;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

const truth = (holds) => (holds ? 1 : 0);
const negative = (x) => x < 0 || Object.is(x, -0);

const OF_ONE = {
  negative: (x) => -x,
  positive: (x) => x,
  conjugate: (x) => x,
  copy: (x) => x,
  absolute: Math.abs,
  fabs: Math.abs,
  sign: Math.sign,
  reciprocal: (x) => 1 / x,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  degrees: (x) => x * (180 / Math.PI),
  rad2deg: (x) => x * (180 / Math.PI),
  radians: (x) => x * (Math.PI / 180),
  deg2rad: (x) => x * (Math.PI / 180),
  floor: Math.floor,
  ceil: Math.ceil,
  rint: rounded,
  trunc: Math.trunc,
  truth: (x) => truth(x !== 0),
  logical_not: (x) => truth(x === 0),
  isnan: (x) => truth(Number.isNaN(x)),
  isinf: (x) => truth(Math.abs(x) === Infinity),
  isfinite: (x) => truth(Number.isFinite(x)),
  signbit: (x) => truth(negative(x)),
};

const OF_TWO = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power,
  float_power: power,
  remainder,
  fmod: (a, b) => a % b,
  floor_divide: floorDivide,
  logaddexp,
  logaddexp2: (a, b) => logaddexp(a * Math.LN2, b * Math.LN2) / Math.LN2,
  hypot: Math.hypot,
  arctan2: Math.atan2,
  copysign: (a, b) => (negative(b) ? -Math.abs(a) : Math.abs(a)),
  heaviside: (a, b) => (a === 0 ? b : a < 0 ? 0 : a > 0 ? 1 : NaN),
  maximum: Math.max,
  minimum: Math.min,
  fmax: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b)),
  fmin: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b)),
  greater: (a, b) => truth(a > b),
  greater_equal: (a, b) => truth(a >= b),
  less: (a, b) => truth(a < b),
  less_equal: (a, b) => truth(a <= b),
  equal: (a, b) => truth(a === b),
  not_equal: (a, b) => truth(a !== b),
  logical_and: (a, b) => truth(a !== 0 && b !== 0), // what is not a number is true
  logical_or: (a, b) => truth(a !== 0 || b !== 0),
  logical_xor: (a, b) => truth((a !== 0) !== (b !== 0)),
};

/** What the result is of nothing at all. */
const OF_NOTHING = { add: 0, multiply: 1, logical_or: 0, logical_and: 1, logical_xor: 0, logaddexp: -Infinity, hypot: 0 };

const OTHERS = {
  matmul: ([a, b]) => product(a, b),
  einsum: (operands, { subscripts }) => einsum(operands, subscripts),
  where: ([condition, a, b]) => chosen(condition, a, b),
  reshape: ([a], { shape }) => reshaped(a, [shape].flat()),
  transpose: ([a], { axes }) => transposed(a, axes),
  broadcast_to: ([a], { shape }) => repeated(a, shape),
  getitem: ([a], { index }) => picked(a, index),
  index_add: ([a], { index, shape }) => addAt(new NumArray(shape), a, index),
  concat: (parts, { axis }) => joined(parts, axis),
  stack: (parts, { axis }) => stacked(parts, axis),
};

const FUNCTIONS = new Map(Object.entries(OTHERS));
for (const [name, f] of Object.entries(OF_ONE)) FUNCTIONS.set(name, ([a]) => mapped(f, a));
for (const [name, f] of Object.entries(OF_TWO)) {
  FUNCTIONS.set(name, ([a, b]) => combined(f, a, b));
  FUNCTIONS.set(`${name}.reduce`, ([a], details) => reduced(f, a, details, OF_NOTHING[name]));
  FUNCTIONS.set(`${name}.accumulate`, ([a], details) => accumulated(f, a, details));
}
