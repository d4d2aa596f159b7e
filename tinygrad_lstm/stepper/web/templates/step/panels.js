// The panels: equation, accumulator, numbers and ledger of the event at hand.

const LEDGER = { near: 20, ends: 4 }; // rows that are shown of many: around the one at hand, and at both ends
const MOST_INPUTS = 5;
const SMALLEST_FORMULA = 11.5; // pixels

const bodyOf = (id) => document.querySelector(`#${id} .body`);

/** What Python wrote as MathML, in which everything from users is escaped. */
function formula(text, className, fill = null) {
  const math = document.createElementNS(MATH, "math");
  math.setAttribute("display", "block");
  math.innerHTML = text;
  if (fill) for (const hole of math.querySelectorAll("[data-of]")) hole.append(...inFormula(fill(hole.dataset.of), "bracketed" in hole.dataset));
  return element("div", { className, tabIndex: 0 }, math);
}

const MATH = "http://www.w3.org/1998/Math/MathML";

function math(tag, ...children) {
  const made = document.createElementNS(MATH, tag);
  made.append(...children);
  return made;
}

/** The numbers of a small array as they stand in a formula: a negative one, where a sign stands before it, in brackets. */
function inFormula({ shape, data }, bracketed) {
  const number = (x) => math("mn", shown(x));
  if (!shape.length) return bracketed && data[0] < 0 ? [math("mo", "("), number(data[0]), math("mo", ")")] : [number(data[0])];
  const columns = shape.at(-1);
  const rows = Array.from({ length: data.length / columns }, (_, i) => math("mtr",
    ...Array.from(data.subarray(i * columns, (i + 1) * columns), (x) => math("mtd", number(x)))));
  return [math("mo", "["), math("mtable", ...rows), math("mo", "]")];
}

/** What stands in the formulas of an event for the upstream gradient, the output and the inputs. */
const operandOf = ({ of }) => (name) => (name === "g" ? of.gradient ?? new NumArray(of.value.shape) : name === "y" ? of.value : network.operands(network.nodes[of.number])[Number(name)]);

/** A formula that is too wide is written smaller, as long as it can be read; then it scrolls. */
function shrink(written) {
  const ratio = written.clientWidth / written.scrollWidth;
  const size = Number.parseFloat(getComputedStyle(written).fontSize);
  if (ratio < 1) written.style.fontSize = `${Math.max(SMALLEST_FORMULA, size * ratio)}px`;
}

/** A row of a list; ``whose`` says which node's value or gradient it is. */
function definition(list, label, content, className = "", whose = {}) {
  const row = [element("dt", { textContent: label, className }), element("dd", { className }, content)];
  for (const each of row) Object.assign(each.dataset, whose);
  if (Object.keys(whose).length) row[0].tabIndex = 0;
  list.append(...row);
}

function showEquation(event, hidden) {
  const { of } = event;
  const [rule, toFill] = event.formulas;
  const parts = [element("p", { className: "place" }, element("code", { textContent: of.id }),
    ` ${of.time === null ? "" : `· ${timed(of.time)}`}`)];
  if (event.phase === "backward") parts.push(element("p", { className: "quiet", textContent: `computed as ${of.equation}` }));
  const because = element("p", { className: "why", textContent: why(event, hidden) });
  if (event.phase === "backward" && !event.edge) {
    bodyOf("equation").replaceChildren(...parts, because);
    return;
  }
  if (rule !== null) parts.push(formula(rule, "rule"));
  else parts.push(element("p", { className: "rule", textContent: event.phase === "seed" ? "where every gradient begins:" : of.equation }));
  if (event.phase === "seed") {
    parts.push(element("p", { className: "rule" }, `∂${named(of)}/∂${named(of)} = `, arrayView(of.gradient)));
    parts.unshift(...begun(of));
  }
  if (toFill !== null && !hidden) parts.push(formula(toFill, "in-numbers", operandOf(event)));
  parts.push(because, origin(of));
  bodyOf("equation").replaceChildren(...parts);
  links.join(event, bodyOf("equation"));
  for (const written of document.querySelectorAll("#equation :is(.rule, .in-numbers)")) shrink(written);
}

/** From the outermost module inwards to the operation, each with its line; and the line of the user's. */
function origin({ way, made }) {
  const lines = way.map(([name, what, line], depth) => element("li", { style: `padding-left: ${depth}rem` },
    element("b", { textContent: name }), ` ${what} `, element("code", { textContent: line })));
  if (made) lines.push(element("li", {}, "made by ", element("code", { textContent: made })));
  return element("details", { open: origin.open, ontoggle({ target }) { origin.open = target.open; } },
    element("summary", { textContent: "where in the program" }), element("ul", { className: "way" }, ...lines));
}
origin.open = false;

/** What has happened up to here, and what to do next. */
function begun(loss) {
  const steps = tape.flow.length;
  const ran = steps ? ` through ${steps} time step${steps > 1 ? "s" : ""}` : "";
  const button = element("button", { type: "button", className: "begin", textContent: "→ send the error back" });
  button.addEventListener("click", () => go(walk.position + 1));
  return [element("p", {}, `The network has run forward${ran}; ${named(loss)} = ${asText(loss.value, 4)}.`), ...broken(loss), button, coach.hints.begin];
}

/** Where the first number is that is not finite, if the loss is none: a button that leads there. */
function broken(loss) {
  const first = allFinite(loss.value) ? undefined : nodes.find((of) => forwardly({ of }).broken);
  if (!first) return [];
  const button = element("button", { type: "button", className: "first-broken", textContent: "where that begins" });
  button.addEventListener("click", () => go(first.number));
  return [button, " "];
}

function showAccumulator(event, hidden) {
  const section = document.querySelector("#accumulator");
  section.hidden = !event.edge;
  if (section.hidden) return;
  section.querySelector("h2").replaceChildren("Accumulator of ∂L/∂", element("bdi", { textContent: asInput(event, event.slot) }));
  const largest = largestIn(event.before, event.after, hidden ? null : event.added);
  const summand = (title, id, className, secret) => element("div", { className },
    element("h3", { textContent: title }), secret ? element("span", { className: "number", textContent: "?" })
      : arrayView(id, { room: NARROW, largest, place: className }));
  const sum = element("div", { className: "sum" }, summand("before", event.before, "before", false),
    summand("+ contribution", event.added, "added", hidden), summand("= after", event.after, "after", hidden));
  sum.dataset.gradient = event.target.number;
  const pips = Array.from({ length: Math.min(event.expected, 40) }, (_, i) =>
    element("i", { className: i < Math.round((event.arrived * Math.min(event.expected, 40)) / event.expected) ? "full" : "" }));
  const complete = event.arrived < event.expected ? "" : event.target.isLeaf ? ": complete" : ": complete, it can be passed on";
  const parts = [sum, element("p", { className: "arrived" }, element("span", { className: "pips", ariaHidden: "true" }, ...pips),
    ` ${event.arrived} of ${event.expected} arrived${complete}`)];
  if (event.summed) {
    parts.push(element("p", { className: "quiet", textContent: `summed from ${event.summed[0]} to ${event.summed[1]}, undoing the broadcast` }));
  }
  const watched = walk.watches(event.target);
  const stop = element("button", { type: "button", textContent: watched ? "stop here no longer" : "stop at each += of this", ariaPressed: String(watched) });
  stop.addEventListener("click", () => toggleStop(() => walk.toggleTensor(event.target)));
  const end = closing(event, hidden);
  if (end) parts.push(element("p", { className: "end", textContent: end }));
  parts.push(stop);
  bodyOf("accumulator").replaceChildren(...parts);
}

function showNumbers(event) {
  const list = element("dl");
  const { of } = event;
  if (event.phase === "backward") definition(list, `upstream, ∂L/∂${named(of)}, complete`, arrayView(of.gradient, { place: "gradient" }), "", { gradient: of.number });
  definition(list, !of.isLeaf ? `value of ${named(of)}` : named(of), valueView(of, "value"), "", { node: of.number });
  const slots = event.of.inputs.map((_, slot) => slot);
  const near = slots.filter((slot) => slots.length <= MOST_INPUTS || Math.abs(slot - event.slot) < MOST_INPUTS / 2);
  for (const slot of near) {
    const here = event.phase === "backward" && slot === event.slot;
    const number = event.of.inputs[slot];
    definition(list, `${here ? "→ " : ""}${asInput(event, slot)}`, valueView(nodes[number], `input ${slot}`), here ? "here" : "", { node: number });
  }
  if (near.length < slots.length) definition(list, "", `… ${slots.length - near.length} more inputs`, "quiet");
  bodyOf("numbers").replaceChildren(list);
}

function showLedger(event) {
  const section = document.querySelector("#ledger");
  const all = event.edge ? arrivals[event.target.number].filter(({ edge }) => edge) : [];
  const rows = elided(all.length, all.indexOf(event), LEDGER).map((place) => (place === null ? null : all[place]));
  section.hidden = rows.length < 2;
  if (section.hidden) return;
  section.querySelector("h2").replaceChildren("Ledger of ∂L/∂", element("bdi", { textContent: named(event.target) }));
  const largest = Math.max(...rows.map((each) => (each ? normOf(each.added) : 0)).filter(Number.isFinite), 0) || 1;
  const table = element("table");
  for (const each of rows) {
    if (each === null) {
      table.insertRow().append(element("td", { colSpan: 4, className: "quiet", textContent: `⋮ ${all.length - rows.filter(Boolean).length} of ${all.length} are left out` }));
      continue;
    }
    const arrived = each.position <= event.position;
    const [hidden, norm] = [isHidden(each), normOf(each.added)];
    const row = table.insertRow();
    row.className = each === event ? "now" : arrived ? "" : "later";
    const jump = element("button", { type: "button", textContent: each.of.time === null ? "—" : `t = ${each.of.time}`, title: `to event ${each.position}` });
    jump.addEventListener("click", () => go(each.position));
    const swatch = element("i", { className: "swatch", ariaHidden: "true" });
    swatch.style.background = timeColour(each.of.time);
    row.insertCell().append(...(tanks.holds(event.target) ? [swatch] : []), jump);
    row.insertCell().textContent = each.of.op;
    const bar = element("span", { className: "bar" });
    bar.style.width = `${hidden ? 0 : Number.isFinite(norm) ? (100 * norm) / largest : 100}%`;
    const cell = row.insertCell();
    cell.className = "bars";
    cell.append(bar);
    row.insertCell().textContent = hidden ? "?" : `‖${shown(norm)}‖`;
  }
  bodyOf("ledger").replaceChildren(table);
  const [now, frame] = [table.querySelector(".now"), bodyOf("ledger")];
  if (now) frame.scrollTop = now.offsetTop - frame.clientHeight / 2;
}

/** The numbers of a node: of one that lies in a range, how far each is open. */
const valueView = (node, place) => arrayView(node.value, { range: rangeOf(node.number), place });

/** Where the values of a node lie, if there are two ends: as Python says of its layer, or of what computes it. */
function rangeOf(number) {
  const { code } = network.nodes[number];
  return tape.layers.find(({ at }) => at.includes(number))?.range ?? code?.range ?? null;
}

/** Where one stops, each to be forgotten again. */
function showStops() {
  const section = document.querySelector("#stops");
  section.hidden = !walk.stops.length;
  bodyOf("stops").replaceChildren(...walk.stops.map((each) => {
    const forget = element("button", { type: "button", textContent: "×", ariaLabel: `stop no longer at ${each.text}`, title: "stop there no longer" });
    forget.addEventListener("click", () => toggleStop(() => walk.stops.splice(walk.stops.indexOf(each), 1)));
    return element("p", {}, forget, ` ${each.text}`);
  }));
}

// Predict: a contribution is hidden until one has tried to say what it will be.

const guess = {
  on: false,
  seen: new Set(),
  section: document.querySelector("#guess"),

  /** Which of its numbers is asked for: the one of largest magnitude. */
  asked({ added }) {
    const { v } = viewOf(added);
    return v.reduce((best, x, i) => (Math.abs(x) > Math.abs(v[best]) ? i : best), 0);
  },

  show(event) {
    this.section.hidden = !isHidden(event);
    if (this.section.hidden) return;
    const { v, rows, block } = viewOf(event.added);
    const at = this.asked(event);
    const columns = v.length / rows;
    const [label, verdict] = [this.section.querySelector("label"), this.section.querySelector(".verdict")];
    const index = rows > 1 ? `[${Math.floor(at / columns)}, ${at % columns}]` : `[${at}]`;
    const where = v.length === 1 ? "?" : block ? ", where it is largest?" : `, at ${index}?`;
    label.replaceChildren(`What does this ${event.of.op} contribute to ∂L/∂`, element("bdi", { textContent: named(event.target) }), where);
    verdict.textContent = "";
    this.section.querySelector("input").value = "";
  },

  compare(event, text) {
    const wanted = viewOf(event.added).v[this.asked(event)];
    const said = Number(text.trim().replace(MINUS, "-").replace(",", "."));
    if (!text.trim() || Number.isNaN(said)) return { verdict: "Type a number, as 0.25 or -1e-3.", right: false };
    const right = Math.abs(said - wanted) <= Math.max(0.02 * Math.abs(wanted), 5e-5);
    if (right) return { verdict: `Right: ${shown(wanted)}.`, right };
    if (Math.sign(said) !== Math.sign(wanted)) return { verdict: "Not yet: the sign is another.", right };
    return { verdict: `Not yet: that is too ${Math.abs(said) > Math.abs(wanted) ? "large" : "small"} in magnitude.`, right };
  },
};

const isHidden = (event) => guess.on && event.edge !== null && !guess.seen.has(event.position);
