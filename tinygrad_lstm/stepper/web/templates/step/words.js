// What the page says: names, and the event at hand as an English sentence.

/** The event as an English sentence. */
function narrate(event, hidden) {
  const { of } = event;
  const when = of.time === null ? "" : ` at ${timed(of.time)}`;
  if (event.phase === "seed") return `The seed: the gradient of ${named(of)} with respect to itself is ${asText(of.gradient, 4)}. The walk back begins here.`;
  if (!event.edge && (event.phase === "backward" || network.isHeld(network.nodes[of.number]))) {
    return `${event.phase === "forward" ? "Forward" : "Backward"}${when}: ${why(event, hidden)}`;
  }
  if (event.phase === "forward") {
    return of.isLeaf ? `Forward: ${named(of)} is given.` : `Forward${when}: ${of.op} computes ${of.equation}.`;
  }
  const size = hidden ? "its size is for you to guess" : `it has norm ${shown(normOf(event.added))}`;
  const complete = event.arrived < event.expected ? `${event.arrived} of ${event.expected} have arrived`
    : `all ${event.expected > 1 ? `${event.expected} have` : "of it has"} arrived${event.target.isLeaf ? "" : ", so it can be passed on"}`;
  return `Backward${when}: ${of.op} sends a contribution to the gradient of ${letterOf(of, event.slot)}; ${size}, and ${complete}.`;
}

/** Why an event happens: of groups of Python's sentences each the first whose conditions all hold, of the numbers as they are now. */
const why = (event, hidden) => sentences(hidden ? page.why.here.slice(0, 1) : page.why.here, event, hidden); // the rest would tell

/** What there is to say when the walk is over; else nothing. */
const closing = (event, hidden) => (hidden ? "" : sentences(page.why.ending, event, hidden));

function sentences(groups, event, hidden) {
  const holds = event.phase === "forward" ? forwardly(event) : event.edge ? backwardly(event, hidden) : { held: event.phase === "backward" };
  holds[event.phase] = true;
  return tell(groups, holds, () => factsOf(event));
}

/** Of each group the first sentence whose conditions all hold, with what stands in the places. */
function tell(groups, holds, facts) {
  const said = groups.map((group) => group.find(([needs]) => needs.every((need) => holds[need]))[1]).filter(Boolean).join(" ");
  let known = null; // found out once, where a sentence has a place for any
  return said.replace(/\{(\w+)\}/g, (_, place) => (known ??= facts())[place]);
}

/** How far back the gradient of the first state is felt, and where most of it is lost; nothing where there is nothing to compare. */
function felt() {
  const [state] = strip.names;
  const rows = tape.flow.filter(({ states }) => state in states);
  const norms = rows.map((row) => flowOf(row).norms[state]);
  if (rows.length < 2 || !norms.at(-1) || !norms.every(Number.isFinite)) return "";
  const factors = norms.slice(1).map((late, i) => (late ? norms[i] / late : 1));
  const at = factors.indexOf(least(factors));
  const gate = gateAfter(nodes[rows[at].states[state]]);
  const left = norms[0] / norms.at(-1);
  const share = gate ? mean(gate.value.data) : Infinity;
  return tell(page.why.felt, { fading: left < 1, shut: share <= 1.1 * factors[at], around: 2 * share < factors[at] }, () => ({
    state, late: rows.at(-1).time, at_late: shown(norms.at(-1), 3), early: rows[0].time, at_early: shown(norms[0], 3),
    left: percent(left), rate: shown(left ** (1 / (rows.length - 1)), 3),
    after: rows[at + 1].time, before: rows[at].time, factor: shown(factors[at], 3),
    gate: gate && named(gate), open: gate && percent(share),
  }));
}

/** The gate that a later step multiplies a state by, if there is one. */
const gateAfter = ({ number, time }) => arrivals[number].filter(({ edge, of }) => edge && of.time !== time)
  .map(factorOf).find((factor) => factor && isOpening(factor));

const allFinite = ({ data }) => data.every(Number.isFinite);

function forwardly({ of }) {
  const { isLeaf, number, value } = of;
  return {
    leaf: isLeaf,
    fixed: network.isHeld(network.nodes[number]),
    cut: tape.detached.includes(number),
    unasked: isLeaf && !network.nodes[number].learns,
    broken: !isLeaf && !allFinite(value) && network.operands(network.nodes[number]).every(allFinite),
  };
}

function backwardly(event, hidden) {
  const { of, edge, target, added, arrived, expected, position } = event;
  const uses = arrivals[target.number].filter((other) => other.edge);
  const times = new Set(uses.map(({ of: { time } }) => time));
  times.delete(null);
  const some = ({ data }) => data.some((x) => x !== 0);
  const factor = factorOf(event);
  return {
    blocked: !hidden && some(of.gradient) && !some(added),
    silent: !some(of.gradient),
    nil: factor !== null && !some(factor.value),
    summed: rowsOf(edge) > 1,
    again: target.isLeaf && times.size === expected,
    within: new Set(uses.map(({ node }) => node)).size === 1,
    many: expected > 1,
    complete: arrived === expected,
    leaf: target.isLeaf,
    gate: factor !== null && isOpening(factor),
    product: factor !== null,
    same: sameShape(added.shape, of.gradient.shape) && added.data.every((x, i) => x === of.gradient.data[i]),
    saturated: isSaturated(of),
    last: position === ending.position,
    get finite() { return this.last && ending.whole > 0 && ending.whole < Infinity; },
    detached: tape.detached.length > 0,
  };
}

/** What a tensor was multiplied by, where it was one of two factors; else null. */
function factorOf({ of, slot }) {
  return network.nodes[of.number].code?.factors ? nodes[of.inputs[1 - slot]] : null;
}

const isOpening = ({ number }) => String(network.nodes[number].code?.range) === "0,1";

function isSaturated({ number, value: { data } }) {
  const [low, high] = network.nodes[number].code?.range ?? [-Infinity, Infinity];
  const margin = page.saturated * (high - low);
  return data.length > 0 && Number.isFinite(margin) && data.every((x) => x < low + margin || x > high - margin);
}

/** How many parts of a contribution are added up, since what they are of was repeated. */
function rowsOf(edge) {
  const { product, contribution } = network.contribution(edge);
  return Math.floor((product?.size ?? 1) / Math.max(contribution.size, 1));
}

function factsOf(event) {
  const { of, edge, slot, arrived, expected, added } = event;
  if (!edge) return { name: named(of), operation: of.op ?? "leaf", value: shown(of.value.data[0]) };
  const [name, [gradient, ...formula]] = [letterOf(of, slot), event.formulas.at(-1).split(" += ")];
  const factor = factorOf(event);
  return {
    name, gradient: formula.length && !gradient.endsWith("]") ? gradient : `∂L/∂${name}`, operation: of.op, rows: rowsOf(edge), arrived, expected, left: expected - arrived,
    get other() { return letterOf(of, 1 - slot); },
    get open() { return percent(mean(factor.value.data)); },
    get left_over() { return percent(normOf(added) / (normOf(of.gradient) || 1)); },
    get norm() { return ending.norm; },
    get half() { return ending.half; },
    get first() { return ending.first; },
  };
}

/** What the formula of a node calls one of its inputs. */
const letterOf = ({ letters, inputs }, slot) => letters[slot] || named(nodes[inputs[slot]]);

const percent = (share) => shown(100 * share, 3);

/** What is said at the end of the walk, of all that has arrived. */
const ending = {
  get position() { return events.findLastIndex(({ edge }) => edge); },
  get whole() { return norm(nodes.filter(({ isLeaf, gradient }) => isLeaf && gradient).map(({ gradient }) => normOf(gradient))); },
  get norm() { return shown(this.whole); },
  get half() { return shown(this.whole / 2); },
  get first() {
    const times = events.filter(({ edge, of }) => edge && of.time !== null).map(({ of }) => of.time);
    return times.length ? `t = ${least(times)}` : "the beginning";
  },
};

/** What an address, or a number that was typed, asks for in vain; the message says why. */
class Refused extends Error {}

function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text)) throw new Refused(`${name} takes a whole number, not '${text}'`);
  return Number(text);
}
