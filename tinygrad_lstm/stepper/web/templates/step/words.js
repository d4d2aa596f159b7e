// What the page says: names, and the event at hand as an English sentence.

/** The event as an English sentence. */
function narrate(event, hidden) {
  const { of } = event;
  const when = of.time === null ? "" : ` at ${timed(of.time)}`;
  if (event.phase === "seed") return `The seed: the gradient of ${named(of)} with respect to itself is ${asText(of.gradient, 4)}. The walk back begins here.`;
  if (event.phase === "forward") {
    return of.isLeaf ? `Forward: ${named(of)} is given.` : `Forward${when}: ${of.op} computes ${of.equation}.`;
  }
  if (!event.edge) return `Backward${when}: nothing comes by here, since what is held fixed passes no error on.`;
  const size = hidden ? "its size is for you to guess" : `it has norm ${shown(normOf(event.added))}`;
  const complete = event.arrived < event.expected ? `${event.arrived} of ${event.expected} have arrived`
    : `all ${event.expected > 1 ? `${event.expected} have` : "of it has"} arrived, so it can be passed on`;
  return `Backward${when}: ${of.op} sends a contribution to the gradient of ${named(event.target)}; ${size}, and ${complete}.`;
}

/** Why an event happens: the first of Python's sentences whose conditions all hold, of the numbers as they are now. */
function why(event, hidden) {
  const holds = conditionsOf(event, hidden);
  const [, sentence] = page.why.find(([needs]) => needs.every((need) => holds[need]));
  return sentence.replace(/\{(\w+)\}/g, (_, place) => factsOf(event)[place]);
}

function conditionsOf({ phase, of, edge, target, summed, added, arrived, expected }, hidden) {
  if (!edge) return { [phase]: true, held: phase === "backward" };
  const uses = arrivals[target.number].filter((other) => other.edge);
  const times = new Set(uses.map(({ of: { time } }) => time));
  times.delete(null);
  const some = ({ data }) => data.some((x) => x !== 0);
  return {
    blocked: !hidden && some(of.gradient) && !some(added),
    summed: summed !== null,
    again: target.isLeaf && times.size === expected,
    within: new Set(uses.map(({ node }) => node)).size === 1,
    many: expected > 1,
    complete: arrived === expected,
    leaf: target.isLeaf,
  };
}

function factsOf({ of, edge, target, arrived, expected }) {
  const { product, contribution } = network.contribution(edge);
  const rows = Math.floor((product?.size ?? 1) / Math.max(contribution.size, 1));
  return { name: named(target), operation: of.op, rows, arrived, expected, left: expected - arrived };
}

/** What an address, or a number that was typed, asks for in vain; the message says why. */
class Refused extends Error {}

function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text)) throw new Refused(`${name} takes a whole number, not '${text}'`);
  return Number(text);
}
