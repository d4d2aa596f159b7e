// The network: it computes values, gradients and contributions from the instructions that Python read from its own rules.
//
// What an operation is, nothing here knows; which edges the walk back takes, and in which order, is the engine's rule:
// from the last node made to the first, and of each its inputs in turn.

class Network {
  /** ``leaf`` tells the numbers of a leaf, by its number and its shape. */
  constructor(data, leaf) {
    this.codes = data.codes.map((code) => ({ ...code, forward: readied(code.forward), rule: code.rule && readied(code.rule) }));
    this.nodes = data.nodes.map(([shape, learns, code, inputs, own, replaced], number) => (inputs
      ? { number, shape, learns, inputs, code: this.codes[code], own: own ?? {}, replaced: mappedValues(replaced ?? {}, unpacked) }
      : { number, shape, learns, inputs: [], given: leaf(number, shape) }));
    this.output = data.output;
    this.seed = unpacked(data.seed);
    this.changed = new Map(); // leaves: their numbers; what is computed: what it is held at
    this.cut = new Set(); // uses that no error goes back over, as node/slot
    this.compute();
  }

  /** Give a node other numbers; held at them, an operation passes no error on. Without numbers it is as it was. */
  set(number, array = null) {
    if (array && !sameShape(array.shape, this.nodes[number].shape)) throw new Error(`${shapeText(array.shape)} is not the shape of what is set`);
    if (array) this.changed.set(number, array);
    else this.changed.delete(number);
  }

  isHeld({ number, code }) { return Boolean(code) && this.changed.has(number); }

  /** Which nodes take part in the walk back, and how many contributions each awaits: others once something is held. */
  plan() {
    const held = [...[...this.changed.keys()].filter((number) => this.isHeld(this.nodes[number])), ...this.cut].join();
    if (held === this.planned) return;
    this.planned = held;
    this.expected = new Map([[this.output, 0]]);
    const unvisited = [this.nodes[this.output]];
    while (unvisited.length) {
      const node = unvisited.pop();
      if (this.isHeld(node)) continue;
      for (const [slot, input] of node.inputs.entries()) {
        if (this.cut.has(`${node.number}/${slot}`)) continue;
        if (this.expected.has(input)) this.expected.set(input, this.expected.get(input) + 1);
        else if (this.nodes[input].learns && !this.isHeld(this.nodes[input])) {
          this.expected.set(input, 1);
          unvisited.push(this.nodes[input]);
        }
      }
    }
    this.edges = [];
    this.arriving = new Map(); // at each node: the edges that bring something, in order
    for (const node of this.nodes.toReversed()) {
      node.flows = []; // by slot: the edge, where error goes back
      if (!node.code || !this.expected.has(node.number)) continue;
      node.inputs.forEach((input, slot) => {
        if (!this.expected.has(input) || this.cut.has(`${node.number}/${slot}`)) return;
        const edge = { node: node.number, slot, target: input };
        if (!this.arriving.has(input)) this.arriving.set(input, []);
        this.arriving.get(input).push(edge);
        edge.arrived = this.arriving.get(input).length;
        this.edges.push(edge);
        node.flows[slot] = edge;
      });
    }
  }

  edgeAt(node, slot) { return this.nodes[node].flows[slot] ?? null; }

  /** Compute all values and all gradients; less would hardly be faster, since one number touches nearly all. */
  compute() {
    this.plan();
    this.values = new Array(this.nodes.length);
    this.looked = new Map(); // contributions that somebody has looked at
    for (const node of this.nodes) this.values[node.number] = this.valueOf(node);
    this.gradients = new Map([[this.output, this.seed]]);
    for (const node of this.nodes.toReversed()) {
      const upstream = this.gradients.get(node.number);
      if (!node.code || !upstream || !this.expected.has(node.number)) continue;
      const run = this.running(node, upstream);
      node.inputs.forEach((input, slot) => {
        if (node.flows[slot]) this.gradients.set(input, this.grown(this.gradients.get(input), run, node.flows[slot]));
      });
    }
    this.findStale();
  }

  valueOf(node) {
    const changed = this.changed.get(node.number);
    if (changed) return changed;
    if (!node.code) return node.given;
    const { forward } = node.code;
    if (forward.recorded) return forward.recorded;
    return new Run(forward, this.operands(node), node.own).at(forward.give[0]);
  }

  operands({ inputs, replaced }) {
    return inputs.map((input, slot) => replaced[slot] ?? this.values[input]);
  }

  /** A node's rule, about to run; one that could not be read has recorded what it gives. */
  running(node, upstream) {
    const { rule } = node.code;
    if (rule.recorded) return { product: (slot) => rule.recorded[slot] };
    const run = new Run(rule, [upstream, this.values[node.number], ...this.operands(node)], node.own);
    return { product: (slot) => (rule.give[slot] === null ? null : run.at(rule.give[slot])), placing: (slot) => run.placing(rule.give[slot]) };
  }

  /** A total with a contribution added: into its own numbers, where it is a piece that has its place there. */
  grown(total, run, edge) {
    const { slot, target } = edge;
    const { shape, code } = this.nodes[target];
    const placed = run.placing?.(slot);
    edge.size = null;
    if (placed && sameShape(placed.shape, shape)) return addAt(total?.grows === target ? total : grower(total, shape, target), placed.piece, placed.index);
    const contribution = contributed(run.product(slot), shape);
    if (!code) edge.size = norm(contribution.data);
    if (!total) return contribution;
    if (total.grows !== target) return Object.assign(combined(OF_TWO.add, total, contribution), { grows: target });
    for (let i = 0; i < contribution.size; i += 1) total.data[i] += contribution.data[i];
    return total;
  }

  /** What one use of a tensor adds to its gradient, and the product of the rule, before any sum over repeated axes. */
  contribution(edge) {
    if (!this.looked.has(edge)) {
      const product = this.running(this.nodes[edge.node], this.gradients.get(edge.node)).product(edge.slot);
      this.looked.set(edge, { product, contribution: contributed(product, this.nodes[edge.target].shape) });
    }
    return this.looked.get(edge);
  }

  /** The norm of what an edge brings to a leaf; of a piece that has its place there, that of the piece. */
  sizeOf(edge) {
    if (edge.size !== null) return edge.size;
    const { piece, index, shape } = this.running(this.nodes[edge.node], this.gradients.get(edge.node)).placing(edge.slot);
    const [there, sums] = [places(index, shape), new Map()];
    const { data } = sameShape(piece.shape, there.shape) ? piece : repeated(piece, there.shape);
    there.at.forEach((place, i) => sums.set(place, (sums.get(place) ?? 0) + data[i]));
    return (edge.size = norm([...sums.values()]));
  }

  /** What has arrived at a node after so many contributions; null of none. */
  total(number, arrived) {
    if (number === this.output) return this.seed;
    const edges = (this.arriving.get(number) ?? []).slice(0, arrived);
    if (edges.length === this.expected.get(number)) return this.gradients.get(number);
    return edges.reduce((total, edge) => {
      const { contribution } = this.contribution(edge);
      return total ? combined(OF_TWO.add, total, contribution) : contribution;
    }, null);
  }

  /** What depends on a change, but could not be computed again, since somebody's own function could not be read. */
  findStale() {
    this.stale = new Set();
    this.staleGradients = new Set();
    const touched = new Set(this.changed.keys());
    for (const { number, inputs, code } of this.nodes) {
      if (this.changed.has(number) || !inputs.some((input) => touched.has(input))) continue;
      touched.add(number);
      if (code.forward.recorded || inputs.some((input) => this.stale.has(input))) this.stale.add(number);
    }
    if (!touched.size) return;
    for (const { number, inputs, code } of this.nodes.toReversed()) {
      if (!code || !this.expected.has(number)) continue;
      const doubtful = code.rule.recorded || this.staleGradients.has(number) || this.stale.has(number) || inputs.some((input) => this.stale.has(input));
      for (const input of inputs) if (doubtful && this.expected.has(input)) this.staleGradients.add(input);
    }
  }

  /** How far this is from Python's answers, as a part of each array's largest number: the loss, and gradients of leaves. */
  disagreement({ loss, gradients }) {
    const pairs = [[this.values[this.output], unpacked(loss)], ...gradients.map(([node, packed]) => [this.gradients.get(node), unpacked(packed)])];
    return Math.max(...pairs.map(([ours, theirs]) => (ours ? distance(ours, theirs) : Infinity)));
  }
}

/** The largest difference of two arrays over the largest number; NaN agrees with NaN alone, and so does each infinity. */
function distance(a, b) {
  if (!sameShape(a.shape, b.shape)) return Infinity;
  let [apart, largest] = [0, 0];
  for (let i = 0; i < a.size; i += 1) {
    const [x, y] = [a.data[i], b.data[i]];
    if (Object.is(x, y) || x === y) {
      if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
    } else {
      if (!(Number.isFinite(x) && Number.isFinite(y))) return Infinity;
      largest = Math.max(largest, Math.abs(x), Math.abs(y));
      apart = Math.max(apart, Math.abs(x - y));
    }
  }
  return apart ? apart / largest : 0;
}

const mappedValues = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value)]));

/** Instructions with their numbers unpacked. */
function readied({ recorded, with: constants, do: steps, give }) {
  if (recorded !== undefined) return { recorded: Array.isArray(recorded) ? recorded.map((each) => each && unpacked(each)) : unpacked(recorded) };
  const made = steps.map(([name, operands, details = {}]) => ({ name, operands, details, f: FUNCTIONS.get(name) }));
  for (const { name, f } of made) if (!f) throw new Error(`this page does not know ${name}`);
  return { constants: constants.map(unpacked), steps: made, give };
}

/** Instructions being carried out, each when it is asked for. */
class Run {
  constructor({ constants, steps }, given, own) {
    this.registers = [...given, ...constants];
    this.first = this.registers.length;
    this.steps = steps;
    this.own = own;
  }

  at(register) {
    return (this.registers[register] ??= this.done(this.steps[register - this.first]));
  }

  done({ f, operands, details }) {
    return f(operands.map((each) => this.at(each)), this.filled(details));
  }

  filled(details) {
    const { own } = details.index ?? {};
    return own === undefined ? details : { ...details, index: this.own[own] };
  }

  /** Of a register that is a piece among zeros: the piece, and its place. */
  placing(register) {
    const step = this.steps[register - this.first];
    if (step?.name !== "index_add") return null;
    const { index, shape } = this.filled(step.details);
    return { piece: this.at(step.operands[0]), index, shape };
  }
}

const contributed = (made, shape) => (made ? unbroadcast(made, shape) : new NumArray(shape));

/** Numbers of a gradient's own, to which more is added: it says whose, for another gradient may begin as the same array. */
const grower = (total, shape, target) => Object.assign(total ? total.copy() : new NumArray(shape), { grows: target });
