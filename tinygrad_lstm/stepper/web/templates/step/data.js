// The walk as data: events by position, nodes, arrays; and what has arrived where by when.
//
// A position counts the events of this page from 0; an event's number is its place on the whole tape.

const tape = JSON.parse(document.querySelector("#data").textContent);

const FIELDS = ["number", "node", "slot", "math", "toFill", "text"];

const network = new Network(tape.network);

/** The numbers of the events: those of the network as it came, which has every edge. */
const numberOf = new Map(network.edges.map(({ node, slot }, i) => [`${node}/${slot}`, tape.start + 1 + i]));

/** A node of the page; its numbers are the network's, as they are now. */
class ShownNode {
  constructor(data, number) { Object.assign(this, data, { number }); }

  get value() { return network.values[this.at]; }

  get gradient() { return network.gradients.get(this.at) ?? null; }

  /** The events that change its gradient. */
  get arrivals() {
    if (this.at === network.output) return [tape.start];
    return (network.arriving.get(this.at) ?? []).map(({ node, slot }) => numberOf.get(`${node}/${slot}`));
  }
}

/** An event of the page. What it adds is computed when somebody looks. */
class ShownEvent {
  constructor(row, position) {
    FIELDS.forEach((field, i) => { this[field] = row[i] ?? null; });
    this.position = position;
    this.phase = this.number < tape.start ? "forward" : this.number > tape.start ? "backward" : "seed";
    this.of = nodes[this.node];
    this.target = this.phase === "forward" ? null : this.phase === "seed" ? this.of : nodes[this.of.inputs[this.slot]];
  }

  /** The edge of the network, if error flows over it: not over one that ends at a gate that is held. */
  get edge() {
    return this.phase === "backward" ? network.edgeAt(this.of.at, this.slot) : null;
  }

  get arrived() { return this.edge?.arrived ?? null; }

  get expected() { return this.edge ? network.expected.get(this.target.at) : null; }

  get added() { return this.edge ? network.contribution(this.edge).contribution : null; }

  get before() { return this.edge ? network.total(this.target.at, this.arrived - 1) : null; }

  get after() { return this.edge ? network.total(this.target.at, this.arrived) : null; }

  /** The shapes before and after the sum over what was repeated, if there was one. */
  get summed() {
    if (!this.edge) return null;
    const { product, contribution } = network.contribution(this.edge);
    return !product || sameShape(product.shape, contribution.shape) ? null : [shapeText(product.shape), shapeText(contribution.shape)];
  }
}

const nodes = tape.nodes.map((node, number) => new ShownNode(node, number));
const events = tape.events.map((row, position) => new ShownEvent(row, position));

const positionOf = new Map(events.map((event) => [event.number, event.position]));
const seedPosition = positionOf.get(tape.start);

/** The events of this page that bring something to each node's gradient, by the node's number. */
const arrivals = nodes.map(() => []);
/** The first and the last position at which each node is the one at work, forward and backward. */
const forwardAt = nodes.map(() => null);
const backward = nodes.map(() => null);
for (const event of events) {
  if (event.phase === "forward") forwardAt[event.node] = event.position;
  if (event.phase !== "backward") continue;
  arrivals[event.target.number].push(event);
  const span = (backward[event.node] ??= [event.position, event.position]);
  span[1] = event.position;
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

/** The Euclidean norm, also of numbers whose squares are too large. */
function norm(data) {
  const largest = data.reduce((size, x) => Math.max(size, Math.abs(x)), 0);
  if (!largest || !Number.isFinite(largest)) return largest;
  return largest * Math.sqrt(data.reduce((sum, x) => sum + (x / largest) ** 2, 0));
}

/** An array as text: its numbers if they are few, else its shape and statistics. */
function asText(array, digits = 6) {
  if (!array) return "nothing yet";
  const { v, rows, shape, stats, norm: length } = viewOf(array);
  if (stats || v.length > tape.most) {
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
function arrivedBy({ arrivals: changes }, { number }) {
  const later = changes.findIndex((when) => when > number);
  return later < 0 ? changes.length : later;
}

/** What has arrived at a node by an event: an array, or null. */
function gradientAt(node, event) {
  const arrived = arrivedBy(node, event);
  return arrived ? network.total(node.at, arrived) : null;
}

/** Norms of the gradients of states at a step, and which share of each gate's units lies near the ends of its range. */
function flowOf({ states, gates }) {
  const free = Object.entries(gates).filter(([, [at]]) => !network.changed.has(at)); // what is held does not saturate
  const shares = free.map(([name, [at, low, high]]) => {
    const { data } = network.values[at];
    const margin = tape.saturated * (high - low);
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
