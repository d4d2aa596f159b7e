// The walk as data: events by position, nodes, arrays; and what has arrived where by when.
//
// A position counts the events of this page from 0; an event's number is its place on the whole tape.

const tape = JSON.parse(document.querySelector("#data").textContent);

const FIELDS = ["number", "node", "slot", "math", "inNumbers", "text", "before", "added", "after",
  "arrived", "expected", "summed"];

const nodes = tape.nodes.map((node, number) => ({ ...node, number }));
const events = tape.events.map((row, position) => {
  const event = Object.fromEntries(FIELDS.map((field, i) => [field, row[i] ?? null]));
  event.position = position;
  event.phase = event.number < tape.start ? "forward" : event.number > tape.start ? "backward" : "seed";
  event.of = nodes[event.node];
  event.target = event.phase === "forward" ? null : event.phase === "seed" ? event.of : nodes[event.of.inputs[event.slot]];
  return event;
});
const arrays = tape.arrays.map((array) => ({ ...array, v: array.v.map(Number), stats: array.stats?.map(Number), norm: Number(array.norm) }));

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

/** An array as text: its numbers if they are few, else its shape and statistics. */
function asText(id, digits = 6) {
  if (id === null || id === undefined) return "nothing yet";
  const { v, rows, shape, stats } = arrays[id];
  if (stats || v.length > tape.most) {
    const [low, high] = (stats ?? [Math.min(...v), Math.max(...v)]).map((number) => shown(number));
    const norm = shown(arrays[id].norm);
    return `shape ${shape}, norm ${norm}, from ${low} to ${high}`;
  }
  if (shape === "()") return shown(v[0], digits);
  const columns = v.length / (rows || 1);
  const lines = Array.from({ length: rows }, (_, i) =>
    `[${v.slice(i * columns, (i + 1) * columns).map((x) => shown(x, digits)).join(", ")}]`);
  return lines.length === 1 ? lines[0] : `shape ${shape}\n[${lines.join("\n ")}]`;
}

/** The Euclidean norm of an array; null of none. */
const normOf = (id) => (id === null || id === undefined ? null : arrays[id].norm);

/** How many of the changes to a node's gradient have happened by an event. */
function arrivedBy({ arrivals: changes }, { number }) {
  const later = changes.findIndex(([when]) => when > number);
  return later < 0 ? changes.length : later;
}

/** What has arrived at a node by an event: the number of an array, or null. */
function gradientAt(node, event) {
  const arrived = arrivedBy(node, event);
  return arrived ? node.arrivals[arrived - 1][1] : null;
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
