// Arrays of numbers: a shape, and the numbers with those of the last axis side by side. All are float64, truths 0 and 1.

class NumArray {
  constructor(shape, data = new Float64Array(sizeOf(shape))) {
    this.shape = shape;
    this.data = data;
    if (data.length !== sizeOf(shape)) throw new Error(`${data.length} numbers do not fill the shape ${shapeText(shape)}`);
  }

  get size() { return this.data.length; }

  copy() { return new NumArray(this.shape, this.data.slice()); }
}

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

/** A shape as Python writes it. */
const shapeText = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

const sameShape = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);

/** The numbers that Python packed: one, or a shape and, in base64, float64, or float32 where that says the same; the
 *  first bytes of all, then the second ones, and so on. */
function unpacked(packed) {
  if (typeof packed !== "object") return new NumArray([], Float64Array.of(Number(packed)));
  const [count, text] = [sizeOf(packed.shape), atob(packed.data)];
  const width = text.length / count;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[(at % count) * width + Math.floor(at / count)] = text.charCodeAt(at);
  const view = new DataView(bytes.buffer);
  const number = width === 4 ? (_, i) => view.getFloat32(4 * i, true) : (_, i) => view.getFloat64(8 * i, true);
  return new NumArray(packed.shape, Float64Array.from({ length: count }, number));
}

/** The shape that two have together, where an axis of length 1 is repeated. */
function broadcastShape(a, b) {
  if (sameShape(a, b)) return a;
  const made = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const [n, m] = [a[a.length - 1 - i] ?? 1, b[b.length - 1 - i] ?? 1];
    if (n !== m && n !== 1 && m !== 1) throw new Error(`shapes ${shapeText(a)} and ${shapeText(b)} do not fit`);
    return n === 1 ? m : n;
  });
  return made.reverse();
}

/** How far apart neighbours along each axis are. */
function stridesOf(shape) {
  const strides = new Array(shape.length);
  for (let i = shape.length - 1, step = 1; i >= 0; step *= shape[i], i -= 1) strides[i] = step;
  return strides;
}

/** The same for an array that is repeated to a shape: 0 along what is repeated. */
function stridesIn(shape, whole) {
  const [own, before] = [stridesOf(shape), whole.length - shape.length];
  return whole.map((_, i) => (i < before || shape[i - before] === 1 ? 0 : own[i - before]));
}

/** Call visit(place, ...places): each place of a shape, and where that is by each of the strides. */
function everywhere(shape, strides, visit) {
  const [count, at] = [sizeOf(shape), new Array(shape.length).fill(0)];
  const places = strides.map(() => 0);
  for (let place = 0; place < count; place += 1) {
    visit(place, ...places);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      at[axis] += 1;
      strides.forEach((each, k) => { places[k] += each[axis]; });
      if (at[axis] < shape[axis]) break;
      strides.forEach((each, k) => { places[k] -= each[axis] * shape[axis]; });
      at[axis] = 0;
    }
  }
}

function mapped(f, a) {
  const [made, from] = [new Float64Array(a.size), a.data];
  for (let i = 0; i < made.length; i += 1) made[i] = f(from[i]);
  return new NumArray(a.shape, made);
}

function combined(f, a, b) {
  const shape = broadcastShape(a.shape, b.shape);
  const made = new NumArray(shape);
  const [out, x, y] = [made.data, a.data, b.data];
  const count = out.length;
  if (x.length === count && y.length === count) for (let i = 0; i < count; i += 1) out[i] = f(x[i], y[i]);
  else if (x.length === count && y.length === 1) for (let i = 0, second = y[0]; i < count; i += 1) out[i] = f(x[i], second);
  else if (x.length === 1 && y.length === count) for (let i = 0, first = x[0]; i < count; i += 1) out[i] = f(first, y[i]);
  else everywhere(shape, [stridesIn(a.shape, shape), stridesIn(b.shape, shape)], (i, j, k) => { out[i] = f(x[j], y[k]); });
  return made;
}

const axesOf = (axis, ndim) => (axis === null ? Array.from({ length: ndim }, (_, i) => i)
  : [axis].flat().map((i) => (i < 0 ? i + ndim : i)));

/** Join all numbers along axes by a function of two. ``start`` is what there is before the first, if there is anything. */
function reduced(f, a, { axis, keepdims = false, initial }, identity) {
  const axes = new Set(axesOf(axis, a.shape.length));
  const kept = a.shape.map((n, i) => (axes.has(i) ? 1 : n));
  const start = initial === undefined ? identity : unpacked(initial).data[0];
  const made = new NumArray(kept);
  const begun = new Uint8Array(made.size);
  if (start !== undefined) {
    made.data.fill(start);
    begun.fill(1);
  } else if (!a.size && made.size) throw new Error("nothing has no largest number");
  const [out, from] = [made.data, a.data];
  everywhere(a.shape, [stridesIn(kept, a.shape)], (i, j) => {
    out[j] = begun[j] ? f(out[j], from[i]) : from[i];
    begun[j] = 1;
  });
  return keepdims ? made : new NumArray(a.shape.filter((_, i) => !axes.has(i)), out);
}

function accumulated(f, a, { axis }) {
  const [along] = axesOf(axis, a.shape.length);
  const step = stridesOf(a.shape)[along];
  const out = a.data.slice();
  for (let i = 0; i < out.length; i += 1) if (Math.floor(i / step) % a.shape[along] > 0) out[i] = f(out[i - step], out[i]);
  return new NumArray(a.shape, out);
}

// Moving numbers about.

function reshaped(a, shape) {
  const known = shape.reduce((product, n) => (n < 0 ? product : product * n), 1);
  return new NumArray(shape.map((n) => (n < 0 ? a.size / known : n)), a.data);
}

function transposed(a, axes) {
  const order = axes ? axes.map((i) => (i < 0 ? i + a.shape.length : i)) : a.shape.map((_, i) => a.shape.length - 1 - i);
  const [shape, strides] = [order.map((i) => a.shape[i]), stridesOf(a.shape)];
  const made = new NumArray(shape);
  everywhere(shape, [order.map((i) => strides[i])], (i, j) => { made.data[i] = a.data[j]; });
  return made;
}

function repeated(a, shape) {
  const made = new NumArray(shape);
  everywhere(shape, [stridesIn(a.shape, shape)], (i, j) => { made.data[i] = a.data[j]; });
  return made;
}

/** Sum over the axes along which an array of a shape was repeated. */
function unbroadcast(a, shape) {
  if (sameShape(a.shape, shape)) return a;
  const before = a.shape.length - shape.length;
  const made = new NumArray(shape);
  if (before < 0) throw new Error(`a contribution of shape ${shapeText(a.shape)} is for a tensor of shape ${shapeText(shape)}`);
  everywhere(a.shape, [stridesIn(shape, a.shape)], (i, j) => { made.data[j] += a.data[i]; });
  return made;
}

const placesOf = new WeakMap();

/** Which places an index names in an array of a shape, and the shape of what is there. */
function places(index, shape) {
  if (!Array.isArray(index)) return index;
  const known = placesOf.get(index);
  if (known && sameShape(known.of, shape)) return known;
  const axes = index.filter((part) => part !== null && part !== "...").length;
  const rest = Array.from({ length: shape.length - axes }, () => [null, null, null]);
  const at = index.indexOf("...");
  const parts = at < 0 ? [...index, ...rest] : [...index.slice(0, at), ...rest, ...index.slice(at + 1)];
  const strides = stridesOf(shape);
  const [made, steps] = [[], []];
  let [axis, first] = [0, 0];
  for (const part of parts) {
    if (part === null) {
      made.push(1);
      steps.push(0);
      continue;
    }
    const n = shape[axis];
    if (Array.isArray(part)) {
      const [start, count, step] = sliced(part, n);
      first += start * strides[axis];
      made.push(count);
      steps.push(step * strides[axis]);
    } else {
      if (part >= n || part < -n) throw new Error(`there is no ${part} in an axis of ${n}`);
      first += (part < 0 ? part + n : part) * strides[axis];
    }
    axis += 1;
  }
  const found = { of: shape, shape: made, at: new Int32Array(sizeOf(made)) };
  everywhere(made, [steps], (i, j) => { found.at[i] = first + j; });
  placesOf.set(index, found);
  return found;
}

/** Where a slice of an axis begins, how many it names, and by which step, as Python counts them. */
function sliced([start, stop, step], n) {
  const by = step ?? 1;
  const within = (bound, low, high) => Math.min(Math.max(bound < 0 ? bound + n : bound, low), high);
  const from = start === null ? (by > 0 ? 0 : n - 1) : by > 0 ? within(start, 0, n) : within(start, -1, n - 1);
  const to = stop === null ? (by > 0 ? n : -1) : by > 0 ? within(stop, 0, n) : within(stop, -1, n - 1);
  return [from, Math.max(0, Math.ceil((to - from) / by)), by];
}

function picked(a, index) {
  const { at, shape } = places(index, a.shape);
  const made = new NumArray(shape);
  for (let i = 0; i < at.length; i += 1) made.data[i] = a.data[at[i]];
  return made;
}

/** Add an array into another one, at an index; places that are named twice get both. */
function addAt(total, a, index) {
  const { at, shape } = places(index, total.shape);
  const from = sameShape(a.shape, shape) ? a : repeated(a, shape);
  for (let i = 0; i < at.length; i += 1) total.data[at[i]] += from.data[i];
  return total;
}

function joined(parts, axis) {
  const [along] = axesOf(axis, parts[0].shape.length);
  const shape = parts[0].shape.map((n, i) => (i === along ? parts.reduce((sum, part) => sum + part.shape[along], 0) : n));
  const made = new NumArray(shape);
  const inner = sizeOf(shape.slice(along + 1));
  const row = shape[along] * inner;
  let start = 0;
  for (const part of parts) {
    const length = part.shape[along] * inner;
    if (!sameShape(part.shape.toSpliced(along, 1), shape.toSpliced(along, 1))) throw new Error("what is joined differs in shape");
    for (let i = 0; i * length < part.size; i += 1) made.data.set(part.data.subarray(i * length, (i + 1) * length), i * row + start);
    start += length;
  }
  return made;
}

function stacked(parts, axis) {
  const [along] = axesOf(axis, parts[0].shape.length + 1);
  return joined(parts.map((part) => reshaped(part, part.shape.toSpliced(along, 0, 1))), along);
}

function chosen(condition, a, b) {
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
  const made = new NumArray(shape);
  const strides = [condition, a, b].map((each) => stridesIn(each.shape, shape));
  everywhere(shape, strides, (i, j, k, l) => { made.data[i] = condition.data[j] ? a.data[k] : b.data[l]; });
  return made;
}

// Sums of products.

function product(a, b) {
  const [left, right] = [a.shape.length === 1 ? reshaped(a, [1, a.size]) : a, b.shape.length === 1 ? reshaped(b, [b.size, 1]) : b];
  const [[rows, inner], [height, columns]] = [left.shape.slice(-2), right.shape.slice(-2)];
  if (inner !== height) throw new Error(`the product of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} does not exist`);
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const made = new NumArray([...batch, rows, columns]);
  const [out, x, y] = [made.data, left.data, right.data];
  const strides = [left, right].map((each) => stridesIn(each.shape.slice(0, -2), batch));
  everywhere(batch, strides, (n, p, q) => {
    for (let i = 0; i < rows; i += 1) {
      const [to, from] = [(n * rows + i) * columns, (p * rows + i) * inner];
      for (let k = 0; k < inner; k += 1) {
        const [factor, row] = [x[from + k], (q * inner + k) * columns];
        for (let j = 0; j < columns; j += 1) out[to + j] += factor * y[row + j];
      }
    }
  });
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [rows]), ...(b.shape.length === 1 ? [] : [columns])];
  return new NumArray(shape, out);
}

/** Σ over the letters that the result does not have, of products: "ij,jk->ik". */
function einsum(operands, subscripts) {
  const [terms, output] = subscripts.split("->");
  const names = terms.split(",");
  const lengths = new Map(names.flatMap((name, i) => [...name].map((letter, axis) => [letter, operands[i].shape[axis]])));
  const letters = [...output, ...[...lengths.keys()].filter((letter) => !output.includes(letter))];
  const strides = (name, shape) => {
    const own = stridesOf(shape); // of a diagonal, both steps at once
    return letters.map((letter) => [...name].reduce((sum, each, axis) => (each === letter ? sum + own[axis] : sum), 0));
  };
  const made = new NumArray([...output].map((letter) => lengths.get(letter)));
  const all = [strides(output, made.shape), ...names.map((name, i) => strides(name, operands[i].shape))];
  everywhere(letters.map((letter) => lengths.get(letter)), all, (_, to, ...from) => {
    made.data[to] += from.reduce((product, place, i) => product * operands[i].data[place], 1);
  });
  return made;
}

/** The Euclidean norm, also of numbers whose squares are too large or too small. */
function norm(data) {
  let [squares, largest] = [0, 0];
  for (let i = 0; i < data.length; i += 1) {
    squares += data[i] * data[i];
    largest = Math.max(largest, Math.abs(data[i])); // NaN stays
  }
  if (!largest || !Number.isFinite(largest)) return largest;
  if (squares > 1e-290 && squares < Infinity) return Math.sqrt(squares);
  let sum = 0;
  for (let i = 0; i < data.length; i += 1) sum += (data[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}
