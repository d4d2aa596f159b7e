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

/** Why there is more than one contribution to a gradient, and which this is; nothing where there is one. */
function why({ target, arrived, expected }) {
  if (expected < 2) return "";
  const times = new Set(arrivals[target.number].filter(({ edge }) => edge).map(({ of }) => of.time));
  const users = new Set(arrivals[target.number].map(({ of }) => of.number));
  const part = `so its gradient has ${expected} parts, which add up; this is number ${arrived}.`;
  if (target.isLeaf && times.size > 1) return `The same ${named(target)} is used at ${times.size} steps, ${part}`;
  if (users.size === 1) return `${named(target)} is used ${expected} times here, ${part}`;
  return `${named(target)} is used in ${expected} places, ${part}`;
}

/** What an address, or a number that was typed, asks for in vain; the message says why. */
class Refused extends Error {}

function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text)) throw new Refused(`${name} takes a whole number, not '${text}'`);
  return Number(text);
}
