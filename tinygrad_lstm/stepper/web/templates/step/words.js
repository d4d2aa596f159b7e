// The command line: the words of the terminal, carried out over the events of this page.

const COMPARED = {
  "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
  "<": (a, b) => a < b, ">": (a, b) => a > b,
};

/** What a condition may ask of an event; null where there is no such thing. */
const QUANTITIES = {
  norm: (event) => normOf(ARRAYS.contribution(event)),
  total: (event) => normOf(ARRAYS.after(event)),
  upstream: (event) => normOf(ARRAYS.upstream(event)),
  value: (event) => normOf(event.of.value),
  arrived: (event) => event.arrived,
  time: (event) => event.of.time,
};

const ARRAYS = {
  value: (event) => event.of.value,
  upstream: (event) => (event.phase === "forward" ? null : event.of.gradient),
  contribution: (event) => event.added ?? (event.phase === "seed" ? event.of.gradient : null),
  before: (event) => event.before,
  after: (event) => event.after ?? (event.phase === "seed" ? event.of.gradient : null),
};

const NUMBER = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)$/i;

class Refused extends Error {}

const NOWHERE = "nothing here is at that place";

/** The part of a condition that says where: any event fits that is at all of the places. */
function parseWhere(text) {
  const places = ` ${text} `.split(" if ")[0].split(/\s+/).filter(Boolean).map(placeCondition);
  return (event) => places.every((place) => place(event));
}

/** The condition that a text describes: where to stop. */
function parsePlace(text) {
  const [places, ...asked] = ` ${text} `.split(" if ");
  if (asked.length && !asked.join("").trim()) throw new Refused(`a condition must follow 'if' in '${text}'; ${tape.grammar}`);
  if (!places.trim() && !asked.length) throw new Refused(`where to stop? ${tape.grammar}`);
  const there = parseWhere(text);
  if (!asked.length) return there;
  const met = question(asked.join(" if "));
  return (event) => there(event) && met(event);
}

function placeCondition(word) {
  const colon = word.indexOf(":");
  if (colon < 0) {
    const parts = word.split(".");
    return ({ of: { scope } }) => scope.some((_, i) => parts.every((part, j) => scope[i + j] === part));
  }
  const [kind, name] = [word.slice(0, colon), word.slice(colon + 1)];
  if (kind === "op" && name) return (event) => event.of.op === name;
  if (kind === "t" && /^-?\d{1,9}$/.test(name)) return (event) => event.of.time === Number(name);
  if (kind === "node" && name) return (event) => event.of.id === name;
  throw new Refused(`'${word}' is no place to stop at; ${tape.grammar}`);
}

function question(text) {
  const found = /^\s*(\w+)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*$/.exec(text);
  if (!found || !Object.hasOwn(QUANTITIES, found[1])) throw new Refused(`cannot read the condition '${text.trim()}'; ${tape.grammar}`);
  const [, name, sign, number] = found;
  if (!NUMBER.test(number)) throw new Refused(`'${number}' is no number; ${tape.grammar}`);
  const bound = /nan$/i.test(number) ? NaN : /inf/i.test(number) ? (number[0] === "-" ? -Infinity : Infinity) : Number(number);
  return (event) => {
    const quantity = QUANTITIES[name](event);
    if (quantity === null) return false;
    if (!Number.isNaN(bound)) return COMPARED[sign](quantity, bound);
    return ["==", "!="].includes(sign) && Number.isNaN(quantity) === (sign === "==");
  };
}

const byName = new Map();
for (const node of nodes) {
  const step = node.time === null ? "" : `t${node.time}.`;
  for (const name of new Set([node.id, node.name ?? node.id, step + (node.name ?? node.id)])) {
    if (!byName.has(name)) byName.set(name, []);
    byName.get(name).push(node);
  }
}

function findNode(name) {
  const ending = () => [...byName].filter(([known]) => known.endsWith(`.${name}`)).flatMap(([, found]) => found);
  const found = byName.get(name) ?? [...new Set(ending())];
  if (found.length === 1) return found[0];
  if (!found.length) {
    const some = [...new Set(nodes.map((node) => node.name).filter(Boolean))].slice(0, 12);
    const there = some.length ? some : nodes.slice(0, 12).map((node) => node.id);
    throw new Refused(`no tensor here is called '${name}'; there is ${there.join(", ")}`);
  }
  const ids = found.slice(0, 6).map((node) => node.id).join(", ");
  throw new Refused(`${found.length} tensors are called '${name}'; say which: ${ids}${found.length > 6 ? ", …" : ""}`);
}

function findShown(name) {
  try {
    return findNode(name);
  } catch (error) {
    const there = [...new Set([...Object.keys(ARRAYS), ...Object.keys(QUANTITIES)])].join(", ");
    throw new Refused(`${error.message}; and there is ${there}`);
  }
}

const SECRETS = ["contribution", "after", "norm", "total"];

/** What print and display show of an event; nothing that one is to guess first. */
function expression(text) {
  const name = text.trim();
  const grown = name.endsWith(".grad") ? findShown(name.slice(0, -".grad".length)) : null;
  const told = grown ? (event) => asText(gradientAt(grown, event)) : openly(name);
  const secret = (event) => SECRETS.includes(name) || grown === event.target;
  return (event) => (isHidden(event) && secret(event) ? "for you to guess" : told(event));
}

/** What is no gradient: a part of the event, a quantity, or a tensor. */
function openly(name) {
  if (Object.hasOwn(ARRAYS, name)) return (event) => asText(ARRAYS[name](event));
  if (Object.hasOwn(QUANTITIES, name)) {
    return (event) => {
      const quantity = QUANTITIES[name](event);
      return quantity === null ? "none here" : shown(quantity, 6);
    };
  }
  const node = findShown(name);
  return () => asText(node.value);
}

const walk = {
  position: 0,
  grain: tape.grain,
  breakpoints: [],
  displays: [],
  made: tape.last[0],
  shownCount: tape.last[1],

  get event() { return events[this.position]; },

  to(position) { this.position = Math.max(0, Math.min(position, events.length - 1)); },

  unit(position) {
    const event = events[position];
    return `${event.phase}/${event.of.units[tape.grains.indexOf(this.grain)]}`;
  },

  /** Past the rest of this node, gate or cell. */
  pass(direction) {
    const here = this.unit(this.position);
    let position = this.position + direction;
    while (position > 0 && position < events.length - 1 && this.unit(position) === here) position += direction;
    this.to(position);
  },

  forward(matches) {
    let position = this.position + 1;
    while (position < events.length && !matches(events[position])) position += 1;
    this.to(position);
  },

  toBreakpoint(direction) {
    for (let i = this.position + direction; i >= 0 && i < events.length; i += direction) {
      const hit = this.breakpoints.filter((each) => each.matches(events[i]));
      hit.forEach((each) => { each.hits += 1; });
      if (!hit.length) continue;
      this.breakpoints = this.breakpoints.filter((each) => !(each.kind === "tbreak" && hit.includes(each)));
      this.to(i);
      return;
    }
    this.to(direction > 0 ? events.length - 1 : 0);
  },

  stopAt(kind, text, matches) {
    const nowhere = kind !== "watch" && !events.some(parseWhere(text));
    const made = { number: (this.made += 1), kind, text, matches, hits: 0, nowhere };
    this.breakpoints = [...this.breakpoints, made];
    return told(made);
  },

  display(text) { this.displays.push({ number: (this.shownCount += 1), text, shown: expression(text) }); },

  displayed() { return this.displays.map(({ number, text, shown }) => `${number}  ${text} = ${shown(this.event)}`); },
};

function told({ number, kind, text, hits, nowhere }) {
  return `${number}  ${kind} ${text}  hit ${hits} time${hits === 1 ? "" : "s"}${nowhere ? `; ${NOWHERE}` : ""}`;
}

function watching(name) {
  if (!name.endsWith(".grad")) throw new Refused(`watch takes the name of a gradient, as in w.grad, not '${name}'`);
  const node = findNode(name.slice(0, -".grad".length));
  return (event) => event.target === node;
}

function wholeNumber(name, rest, of) {
  if (of && !rest) throw new Refused(`${name} needs the number of ${of}, as in: ${name} 12`);
  if (!/^\d{1,9}$/.test(rest)) throw new Refused(`${name} takes a whole number, not '${rest}'`);
  return Number(rest);
}

function numbered(list, rest, name, of, there) {
  const found = list.find((each) => each.number === wholeNumber(name, rest, of));
  if (!found) throw new Refused(there(rest));
  return found;
}

function positionOfNumber(number) {
  if (number >= tape.total) throw new Refused(`the walk has events 0 to ${tape.total - 1}; there is no ${number}`);
  if (!positionOf.has(number)) throw new Refused(`event ${number} is not on this page. ${tape.note}`);
  return positionOf.get(number);
}

function listing(around) {
  const lines = 11;
  const first = Math.max(0, Math.min(around - Math.floor(lines / 2), events.length - lines));
  return events.slice(first, first + lines).map((event) => {
    const time = event.of.time === null ? "" : `t = ${event.of.time}`;
    const arrow = event.position === walk.position ? "→" : " ";
    return `${arrow} ${String(event.number).padStart(5)}  ${event.phase.padEnd(8)}  ${time.padEnd(7)}  ${tape.texts[event.text].slice(0, 90)}`;
  }).join("\n");
}

function coarser(by) {
  const { grains } = tape;
  walk.grain = grains[Math.max(0, Math.min(grains.indexOf(walk.grain) + by, grains.length - 1))];
  return `next passes over one ${walk.grain} at a time`;
}

/** What each word does. It returns what there is to say, or nothing where the new position says it. */
const DOES = {
  step: (rest) => walk.to(walk.position + (rest ? wholeNumber("step", rest) : 1)),
  next: () => walk.pass(1),
  return: () => {
    const { scope, time } = walk.event.of;
    walk.forward(({ of }) => of.time !== time || scope.some((name, i) => of.scope[i] !== name));
  },
  until: (rest) => {
    const stops = parsePlace(rest);
    const there = parseWhere(rest);
    if (!events.slice(walk.position + 1).some(there)) {
      const behind = events.some(there);
      throw new Refused(`until ${rest}: ${behind ? "it does not come after this event; reverse-step, or goto 0, goes back" : NOWHERE}`);
    }
    walk.forward(stops);
  },
  continue: () => walk.toBreakpoint(1),
  goto: (rest) => walk.to(positionOfNumber(wholeNumber("goto", rest, "an event"))),
  "reverse-step": (rest) => walk.to(walk.position - (rest ? wholeNumber("reverse-step", rest) : 1)),
  "reverse-next": () => walk.pass(-1),
  "reverse-continue": () => walk.toBreakpoint(-1),
  up: () => coarser(1),
  down: () => coarser(-1),
  break: (rest) => walk.stopAt("break", rest, parsePlace(rest)),
  tbreak: (rest) => walk.stopAt("tbreak", rest, parsePlace(rest)),
  watch: (rest) => walk.stopAt("watch", rest, watching(rest)),
  delete: (rest) => {
    const found = numbered(walk.breakpoints, rest, "delete", "a breakpoint", (n) => `there is no breakpoint ${n}; info breakpoints lists those there are`);
    walk.breakpoints = walk.breakpoints.filter((each) => each !== found);
    return `breakpoint ${rest} is forgotten`;
  },
  info: (rest) => {
    if (!"breakpoints".startsWith(rest)) throw new Refused(`info tells of breakpoints, not of '${rest}'`);
    return walk.breakpoints.map(told).join("\n") || "no breakpoints; break PLACE sets one";
  },
  print: (rest) => expression(rest || "contribution")(walk.event),
  display: (rest) => {
    if (rest) walk.display(rest);
    return walk.displayed().join("\n") || "nothing is displayed; display NAME shows something at every stop";
  },
  undisplay: (rest) => {
    const found = numbered(walk.displays, rest, "undisplay", "a display", (n) => `there is no display ${n}; display lists those there are`);
    walk.displays = walk.displays.filter((each) => each !== found);
    return `display ${rest} is no longer shown`;
  },
  flow: () => "flow answers in a terminal only; here it is drawn below the timeline",
  paths: () => "paths answers in a terminal only",
  where: () => tape.texts[walk.event.of.where],
  list: (rest) => listing(rest ? positionOfNumber(wholeNumber("list", rest)) : walk.position),
  help: (rest) => (rest ? findCommand(rest).help : tape.help),
  quit: () => "close the page to leave; stepper.terminal() goes on in a terminal",
};

function findCommand(word) {
  const exact = tape.commands.find(({ name, short }) => word === name || short.split(" ").includes(word));
  if (exact) return exact;
  const found = tape.commands.filter(({ name }) => word && name.startsWith(word));
  if (found.length === 1) return found[0];
  if (found.length) throw new Refused(`'${word}' may be ${found.map(({ name }) => name).join(", ")}`);
  throw new Refused(`no command '${word}'; help lists them`);
}

/** Do what a line says; what to answer, or nothing if the new position is the answer. */
function carryOut(line) {
  const [, word, rest] = /^\s*(\S*)\s*([^]*?)\s*$/.exec(line);
  const command = findCommand(word);
  if (!command.argument && rest) throw new Refused(`${command.name} takes nothing more, not '${rest}'`);
  return DOES[command.name](rest);
}

/** What was set before the page was made. What it names may lie outside of this page, and then never happens here. */
function takenOver(read, otherwise) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return otherwise;
  }
}
for (const [number, kind, text, hits, nowhere] of tape.breakpoints) {
  const matches = takenOver(() => (kind === "watch" ? watching(text) : parsePlace(text)), () => false);
  walk.breakpoints.push({ number, kind, text, matches, hits, nowhere });
}
for (const [number, text] of tape.displays) {
  walk.displays.push({ number, text, shown: takenOver(() => expression(text), () => "not on this page") });
}
