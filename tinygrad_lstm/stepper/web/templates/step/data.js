// The walk as data: nodes, uses, events; and what has arrived where by when. All of one network, at one number of steps.

/** Everything that Python wrote. */
const page = await (async () => {
  const bytes = Uint8Array.from(atob(document.querySelector("#data").textContent), (character) => character.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  return JSON.parse(text);
})();

const unfolding = new Unfolding(page.texts);

/** Of the network that is looked at; made anew for another cell, or another number of steps. */
let [tape, network, nodes, events] = [null, null, [], []];
/** The events that bring something to each node's gradient, by the node's number. */
let arrivals = [];
/** The first and the last position at which each node is the one at work, forward and backward. */
let backward = [];
/** The events of uses, by node and slot: those of the network as it came, which has every edge. */
let numberOf = new Map();
let seedPosition = 0;

const NODE = ["id", "name", "shown", "op", "scope", "letters", "equation", "formulas", "way", "made"];

/** A node of the page; its words are read when somebody looks, its numbers are the network's, as they are now. */
class ShownNode {
  constructor(number) { this.number = number; }

  get words() { return (this.read ??= tape.nodes.at(this.number)); }

  get time() { return tape.times[this.number]; }

  get inputs() { return network.nodes[this.number].inputs; }

  get isLeaf() { return !network.nodes[this.number].code; }

  get value() { return network.values[this.number]; }

  get gradient() { return network.gradients.get(this.number) ?? null; }

  /** The events that change its gradient: others once a gate is held. */
  get arrivals() {
    if (this.number === network.output) return [seedPosition];
    if (this.arrivalsOf !== network.arriving) {
      this.arrivalsOf = network.arriving;
      this.arrivalsFound = (network.arriving.get(this.number) ?? []).map(({ node, slot }) => numberOf.get(`${node}/${slot}`));
    }
    return this.arrivalsFound;
  }
}
for (const name of NODE) Object.defineProperty(ShownNode.prototype, name, { get() { return this.words[name]; } });

/** An event: a node computed, the seed, or a use that sends a gradient back. What it adds is computed when somebody looks. */
class ShownEvent {
  constructor(position, of, slot) {
    Object.assign(this, { position, of, slot });
    this.phase = position < seedPosition ? "forward" : position > seedPosition ? "backward" : "seed";
    this.target = this.phase === "forward" ? null : this.phase === "seed" ? of : nodes[of.inputs[slot]];
  }

  get node() { return this.of.number; }

  /** The formula, the same with places for numbers, and in words. */
  get formulas() {
    if (this.phase === "seed") return [null, null, ""];
    return (this.read ??= this.phase === "forward" ? this.of.formulas : tape.uses.at(this.position - seedPosition - 1));
  }

  /** The edge of the network, if error flows over it: not over one that ends at a gate that is held. */
  get edge() {
    return this.phase === "backward" ? network.edgeAt(this.node, this.slot) : null;
  }

  get arrived() { return this.edge?.arrived ?? null; }

  get expected() { return this.edge ? network.expected.get(this.target.number) : null; }

  get added() { return this.edge ? network.contribution(this.edge).contribution : null; }

  get before() { return this.edge ? network.total(this.target.number, this.arrived - 1) : null; }

  get after() { return this.edge ? network.total(this.target.number, this.arrived) : null; }

  /** The shapes before and after the sum over what was repeated, if there was one. */
  get summed() {
    if (!this.edge) return null;
    const { product, contribution } = network.contribution(this.edge);
    return !product || sameShape(product.shape, contribution.shape) ? null : [shapeText(product.shape), shapeText(contribution.shape)];
  }
}

/** A part of what is held of a network, for a number of steps. */
function partOf({ sizes, lines }, steps) {
  if (Object.hasOwn(sizes, steps)) return unfolding.part(sizes[steps]);
  const [first, , row, growth] = lines.find(([from, to]) => from <= steps && steps <= to);
  return unfolding.part(row, growth, steps - first);
}

/** The numbers of a leaf; where there are fewer steps those that there are, where there are more the last again. */
function given(id, shape, values) {
  const kind = (name) => name.replace(/\d+/g, "#");
  const like = Object.hasOwn(values, id) ? id : Object.keys(values).findLast((other) => kind(other) === kind(id));
  const array = unpacked(values[like]);
  if (sameShape(array.shape, shape)) return array;
  const made = new NumArray(shape);
  const strides = stridesOf(array.shape);
  const whole = stridesOf(shape);
  for (let place = 0; place < made.size; place += 1) {
    const at = shape.reduce((sum, n, axis) => sum + strides[axis] * Math.min(Math.floor(place / whole[axis]) % n, array.shape[axis] - 1), 0);
    made.data[place] = array.data[at];
  }
  return made;
}

/** Look at a network, and at so many steps of it. */
function load(cell, steps) {
  const held = page.cells[cell];
  const walked = partOf(held.walk, steps);
  const listed = { nodes: unfolding.list(walked.nodes), uses: unfolding.list(walked.uses) };
  tape = { cell, steps, ...unfolding.whole({ ...walked, nodes: [], uses: [] }), ...listed, views: partOf(held.views, steps) };
  network = new Network(tape.network, (number, shape) => given(tape.nodes.at(number).id, shape, held.values));
  seedPosition = network.nodes.length;
  nodes = network.nodes.map(({ number }) => new ShownNode(number));
  events = nodes.map((node, position) => new ShownEvent(position, node, 0));
  events.push(new ShownEvent(seedPosition, nodes[network.output], 0));
  numberOf = new Map(network.edges.map(({ node, slot }, i) => [`${node}/${slot}`, seedPosition + 1 + i]));
  for (const { node, slot } of network.edges) events.push(new ShownEvent(events.length, nodes[node], slot));
  arrivals = nodes.map(() => []);
  backward = nodes.map(() => null);
  for (const event of events.slice(seedPosition + 1)) {
    arrivals[event.target.number].push(event);
    (backward[event.node] ??= [event.position, event.position])[1] = event.position;
  }
  const read = network.edges.filter(({ node, target }) => tape.times[node] === null && tape.times[target] !== null);
  const times = [...new Set(read.map(({ target }) => tape.times[target]))].sort((a, b) => a - b);
  tape.readings = times.length > 1 ? { uses: read, times } : null; // where what comes after the last step reads the others
}

/** A time step as the pictures write it: with what its part of time is called. */
const timed = (time) => [`t = ${time}`, tape.phases[time]].filter(Boolean).join(" · ");

const MINUS = "−";

/** A number with the digits that one looks at. */
function shown(number, digits = 4) {
  if (number === null || Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : `${MINUS}∞`;
  return String(Number(number.toPrecision(digits))).replace("-", MINUS);
}

const EXACT = 256; // so many numbers are shown each, more as blocks
const [BLOCKS, LONGEST_ROW] = [16, 128]; // at most so many blocks on a side, and in a single row

const views = new WeakMap();

/** An array as it is looked at: rows of numbers, or of blocks, each by its number of largest magnitude; and statistics. */
function viewOf(array) {
  if (!views.has(array)) views.set(array, viewed(array));
  return views.get(array);
}

function viewed({ shape, data }) {
  const columns = shape.length ? shape.at(-1) : 1;
  const made = { shape: shapeText(shape), norm: norm(data), rows: data.length ? data.length / columns : 0, v: Array.from(data) };
  if (data.length <= EXACT) return made;
  Object.assign(made, { stats: [least(made.v), most(made.v), mean(made.v)], bad: made.v.filter((x) => !Number.isFinite(x)).length });
  const [down, across] = [Math.min(made.rows, BLOCKS), Math.min(columns, made.rows === 1 ? LONGEST_ROW : BLOCKS)];
  if (down === made.rows && across === columns) return made;
  const blocks = new Array(down * across).fill(0);
  made.v.forEach((x, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    const block = blockOf(i, made.rows, down) * across + blockOf(j, columns, across);
    if (Number.isNaN(x) || Math.abs(x) > Math.abs(blocks[block])) blocks[block] = x;
  });
  return { ...made, v: blocks, block: [made.rows, columns], rows: down };
}

/** In which of so many parts of a length a place lies. */
const blockOf = (place, length, parts) => Math.floor(((place + 1) * parts - 1) / length);

const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b));
const most = (numbers) => numbers.reduce((a, b) => Math.max(a, b));
const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** An array as text: its numbers if they are few, else its shape and statistics. */
function asText(array, digits = 6) {
  if (!array) return "nothing yet";
  const { v, rows, shape, stats, norm: length } = viewOf(array);
  if (stats || v.length > page.most) {
    const [low, high] = (stats ?? [least(v), most(v)]).map((number) => shown(number));
    return `shape ${shape}, norm ${shown(length)}, from ${low} to ${high}`;
  }
  if (shape === "()") return shown(v[0], digits);
  const columns = v.length / (rows || 1);
  const lines = Array.from({ length: rows }, (_, i) =>
    `[${v.slice(i * columns, (i + 1) * columns).map((x) => shown(x, digits)).join(", ")}]`);
  return lines.length === 1 ? lines[0] : `shape ${shape}\n[${lines.join("\n ")}]`;
}

/** The Euclidean norm of an array; null of none. */
const normOf = (array) => (array ? viewOf(array).norm : null);

/** How many of the changes to a node's gradient have happened by an event. */
function arrivedBy({ arrivals: changes }, { position }) {
  const later = changes.findIndex((when) => when > position);
  return later < 0 ? changes.length : later;
}

/** What has arrived at a node by an event: an array, or null. */
function gradientAt(node, event) {
  const arrived = arrivedBy(node, event);
  return arrived ? network.total(node.number, arrived) : null;
}

/** Norms of the gradients of states at a step, and which share of each gate's units lies near the ends of its range. */
function flowOf({ states, gates }) {
  const free = Object.entries(gates).filter(([, [at]]) => !network.changed.has(at)); // what is held does not saturate
  const shares = free.map(([name, [at, low, high]]) => {
    const { data } = network.values[at];
    const margin = page.saturated * (high - low);
    return [name, data.reduce((count, x) => count + (x < low + margin || x > high - margin), 0) / (data.length || 1)];
  });
  return {
    norms: mappedValues(states, (at) => (network.gradients.has(at) ? normOf(network.gradients.get(at)) : 0)),
    saturation: Object.fromEntries(shares),
  };
}

const named = (node) => node.shown ?? node.id;

/** What the formulas of an event call one of the inputs, and which node that is. */
function asInput({ of }, slot) {
  const [letter, node] = [of.letters[slot] ?? "", nodes[of.inputs[slot]]];
  return node.shown === letter || !letter ? named(node) : `${letter}, ${named(node)}`;
}

/** An element with its text, and other elements in it. Text is never read as HTML. */
function element(tag, properties = {}, ...children) {
  const { role, label, ...own } = properties;
  const made = Object.assign(document.createElement(tag), own);
  if (role) made.setAttribute("role", role);
  if (label) made.setAttribute("aria-label", label);
  made.append(...children);
  return made;
}
