// One unit's thread: one coordinate of gates and states through time, each with what has arrived at its gradient.

const THREAD = { near: 4, ends: 2 }; // steps that are shown of many: around the one at hand, and at both ends

/** Which of so many places are shown: all, or those at both ends and around one; null for what is left out. */
function elided(count, middle, { near, ends }) {
  const places = [];
  for (let i = 0; i < count; i += 1) {
    if (i < ends || i >= count - ends || Math.abs(i - middle) <= near) places.push(i);
    else if (places.at(-1) !== null) places.push(null);
  }
  return places.flatMap((place, k) => (place !== null ? place : places[k + 1] - places[k - 1] === 2 ? places[k - 1] + 1 : null));
}

const thread = {
  section: document.querySelector("#thread"),

  get details() { return this.section.querySelector("details"); },

  /** The gates and states of a step, by name: their nodes, and of gates where their values lie. */
  found: ({ gates, states }) => ({
    ...gates, ...Object.fromEntries(Object.entries(states).map(([name, number]) => [name, gates[name]?.[0] === number ? gates[name] : [number]])),
  }),

  rowsOf({ value: { shape, size } }) { return shape.length ? size / shape.at(-1) : 0; },

  /** How many units and sequences there are to choose from. */
  get sizes() {
    const arrays = tape.flow.slice(0, 1).flatMap((row) => Object.values(this.found(row)).map(([number]) => nodes[number]));
    return [Math.max(0, ...arrays.map(({ value: { shape } }) => shape.at(-1) ?? 0)), Math.max(0, ...arrays.map((node) => this.rowsOf(node)))];
  },

  show(event) {
    const [units, batch] = this.sizes;
    this.section.hidden = !tape.flow.length || !units;
    if (this.section.hidden || !this.details.open) return;
    this.section.querySelector(".sequence").hidden = batch < 2;
    const [unit, sequence] = [["unit", units], ["sequence", batch]].map(([name, count]) => {
      const input = this.section.querySelector(`.${name} input`);
      input.max = String(count - 1);
      return Math.min(Math.max(Math.trunc(Number(input.value)) || 0, 0), count - 1);
    });
    const names = [...new Set(tape.flow.flatMap((row) => Object.keys(this.found(row))))];
    const head = element("tr", {}, ...["t", ...names].map((name) => element("th", { scope: "col", textContent: name })));
    const at = tape.flow.findIndex(({ time }) => time === event.of.time);
    const rows = elided(tape.flow.length, at < 0 ? tape.flow.length - 1 : at, THREAD).map((place) => (place === null
      ? element("tr", { className: "left-out" }, element("td", { colSpan: names.length + 1, textContent: "⋮" }))
      : this.row(tape.flow[place], names, unit, sequence, event)));
    const table = element("table", { label: `unit ${unit} at every step: values, and below them gradients` }, element("thead", {}, head), element("tbody", {}, ...rows));
    this.section.querySelector(".body").replaceChildren(table, element("p", { className: "quiet" },
      "Above the value, below it ∂L/∂ of it as far as it has arrived; ", element("span", { className: "saturated", textContent: "underlined" }), " is saturated."));
  },

  row(row, names, unit, sequence, event) {
    const found = this.found(row);
    const step = element("button", { type: "button", textContent: String(row.time), title: `to t = ${row.time}`, ariaLabel: `to t = ${row.time}` });
    step.addEventListener("click", () => {
      const phase = event.phase === "forward" ? "forward" : "backward";
      const first = events.find((other) => other.phase === phase && other.of.time === row.time);
      if (first) go(first.position);
    });
    const cells = names.map((name) => {
      const [number, low, high] = found[name] ?? [];
      const node = nodes[number];
      if (!node || unit >= node.value.shape.at(-1) || sequence >= this.rowsOf(node)) return element("td", { textContent: "—" });
      return this.pair(node, sequence * node.value.shape.at(-1) + unit, [low, high], event);
    });
    return element("tr", { className: row.time === event.of.time ? "now" : "" }, element("th", { scope: "row" }, step), ...cells);
  },

  pair(node, place, [low, high], event) {
    const x = node.value.data[place];
    const margin = page.saturated * (high - low);
    const value = element("span", { className: low !== undefined && (x < low + margin || x > high - margin) ? "saturated" : "", textContent: shown(x, 3) });
    const gradient = element("span", { className: "gradient", textContent: gradientText(node, event, place) });
    value.dataset.node = node.number;
    gradient.dataset.gradient = node.number;
    return element("td", {}, value, gradient);
  },
};

/** A number of what has arrived at a gradient by an event, if it is not to be guessed. */
function gradientText(node, event, place, digits = 3) {
  if (event.target === node && isHidden(event)) return "?";
  const arrived = event.phase === "forward" ? null : gradientAt(node, event);
  return arrived ? shown(arrived.data[place], digits) : "·";
}

thread.details.addEventListener("toggle", () => show({ hurry: true }));
for (const input of thread.section.querySelectorAll("input")) input.addEventListener("input", () => thread.show(walk.event));
