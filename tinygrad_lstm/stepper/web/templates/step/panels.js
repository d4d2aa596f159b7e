// The panels: equation, accumulator, numbers and ledger of the event at hand.

const FEW = 16; // so many numbers are written out; more are a heat map
const CELL = 14;
const [WIDE, NARROW, HIGH] = [260, 112, 96]; // how large a heat map may be, in pixels
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

function arrayView(array, width = WIDE) {
  if (!array) return element("span", { className: "quiet", textContent: "nothing yet" });
  const { v, rows, shape, stats } = viewOf(array);
  if (!v.length) return element("span", { className: "quiet", textContent: `empty, shape ${shape}` });
  if (v.length === 1) return element("span", { className: "number", textContent: shown(v[0]) });
  const columns = v.length / rows;
  if (!stats && v.length <= FEW && columns <= 6) return grid(v, rows, columns, shape);
  return heatMap(viewOf(array), columns, width);
}

function grid(v, rows, columns, shape) {
  const table = element("table", { className: "array", label: `array of shape ${shape}` });
  for (let i = 0; i < rows; i += 1) {
    const row = table.insertRow();
    for (let j = 0; j < columns; j += 1) row.insertCell().textContent = shown(v[i * columns + j]);
  }
  return table;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Orange is above zero, blue below; the stronger, the farther from it. What is not finite is in the colour of ink. */
function heatMap({ v, rows, shape, stats, bad, block, norm: length }, columns, room) {
  const size = Math.max(3, Math.min(CELL, Math.floor(room / columns), Math.floor(HIGH / rows)));
  const canvas = element("canvas", { width: columns * size, height: rows * size, className: "heat", role: "img" });
  const finite = v.filter(Number.isFinite);
  const largest = Math.max(...finite.map(Math.abs), 0) || 1;
  const paint = canvas.getContext("2d");
  const [above, below, zero, ink] = ["now", "series0", "paper", "ink"].map(colour);
  v.forEach((x, i) => {
    const strength = Math.abs(x) / largest;
    paint.fillStyle = Number.isFinite(x) ? `color-mix(in srgb, ${x >= 0 ? above : below} ${100 * strength}%, ${zero})` : ink;
    paint.fillRect((i % columns) * size, Math.floor(i / columns) * size, size, size);
  });
  const [low, high, middle] = stats ?? [least(v), most(v), mean(v)];
  const statistics = `shape ${shape} · norm ${shown(length)} · ${shown(low)} … ${shown(high)} · mean ${shown(middle)}${bad ? ` · ${bad} not finite` : ""}`;
  canvas.setAttribute("aria-label", `heat map, ${statistics}`);
  const readout = element("small", { className: "readout", textContent: block ? "each square is the largest magnitude of a block" : "point at a square for its number" });
  const [height, width] = block ?? [rows, columns];
  const reach = (at, count, whole) => {
    const [first, end] = [Math.floor((at * whole) / count), Math.floor(((at + 1) * whole) / count)];
    return end - first > 1 ? `${first}:${end}` : String(first);
  };
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const scale = canvas.clientWidth / canvas.width || 1;
    const j = Math.min(columns - 1, Math.max(0, Math.floor(offsetX / size / scale)));
    const i = Math.min(rows - 1, Math.max(0, Math.floor(offsetY / size / scale)));
    const index = rows > 1 ? `${reach(i, rows, height)}, ${reach(j, columns, width)}` : reach(j, columns, width);
    readout.textContent = `[${index}] = ${shown(v[i * columns + j])}`;
  });
  return element("div", { className: "heatmap" }, canvas, element("small", { textContent: statistics }), readout);
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
  return [element("p", {}, `The network has run forward${ran}; ${named(loss)} = ${asText(loss.value, 4)}.`), button];
}

function showAccumulator(event, hidden) {
  const section = document.querySelector("#accumulator");
  section.hidden = !event.edge;
  if (section.hidden) return;
  section.querySelector("h2").replaceChildren("Accumulator of ∂L/∂", element("bdi", { textContent: asInput(event, event.slot) }));
  const summand = (title, id, className, secret) => element("div", { className },
    element("h3", { textContent: title }), secret ? element("span", { className: "number", textContent: "?" }) : arrayView(id, NARROW));
  const sum = element("div", { className: "sum" }, summand("before", event.before, "before", false),
    summand("+ contribution", event.added, "added", hidden), summand("= after", event.after, "after", hidden));
  sum.dataset.gradient = event.target.number;
  const pips = Array.from({ length: Math.min(event.expected, 40) }, (_, i) =>
    element("i", { className: i < Math.round((event.arrived * Math.min(event.expected, 40)) / event.expected) ? "full" : "" }));
  const complete = event.arrived === event.expected ? ": complete, it can be passed on" : "";
  const parts = [sum, element("p", { className: "arrived" }, element("span", { className: "pips", ariaHidden: "true" }, ...pips),
    ` ${event.arrived} of ${event.expected} arrived${complete}`)];
  if (event.summed) {
    parts.push(element("p", { className: "quiet", textContent: `summed from ${event.summed[0]} to ${event.summed[1]}, undoing the broadcast` }));
  }
  const watched = walk.watches(event.target);
  const stop = element("button", { type: "button", textContent: watched ? "stop here no longer" : "stop at each += of this", ariaPressed: String(watched) });
  stop.addEventListener("click", () => toggleStop(() => walk.toggleTensor(event.target)));
  parts.push(stop);
  bodyOf("accumulator").replaceChildren(...parts);
}

function showNumbers(event) {
  const list = element("dl");
  if (event.phase === "backward") definition(list, `upstream, ∂L/∂${named(event.of)}, complete`, arrayView(event.of.gradient), "", { gradient: event.of.number });
  definition(list, !event.of.isLeaf ? `value of ${named(event.of)}` : named(event.of), arrayView(event.of.value), "", { node: event.of.number });
  const slots = event.of.inputs.map((_, slot) => slot);
  const near = slots.filter((slot) => slots.length <= MOST_INPUTS || Math.abs(slot - event.slot) < MOST_INPUTS / 2);
  for (const slot of near) {
    const here = event.phase === "backward" && slot === event.slot;
    const number = event.of.inputs[slot];
    definition(list, `${here ? "→ " : ""}${asInput(event, slot)}`, arrayView(nodes[number].value), here ? "here" : "", { node: number });
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
    row.insertCell().append(jump);
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
