// The picture: one view at a time, laid out once. Its elements take on the state of the nodes they stand for.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const SMALLEST = 0.44; // of real size: words are still readable
const SVG = "http://www.w3.org/2000/svg";

const picture = {
  box: document.querySelector("#picture"),
  views: tape.views.map((view) => view.view),
  view: null,
  drawn: {}, // what was made of each view when it was first shown
  halo: document.createElementNS(SVG, "rect"),

  /** The view that was asked for, with its elements. */
  open(name) {
    const data = tape.views.find((view) => view.view === name);
    if (!this.drawn[name]) {
      const template = document.querySelector(`template[data-picture="${name}"]`);
      const svg = template.content.querySelector("svg");
      const elements = new Map([...svg.querySelectorAll("[data-id]")].map((each) => [each.dataset.id, each]));
      const boxes = Object.entries(data.boxes).map(([id, shows]) => ({ drawn: elements.get(id), shows, state: "" }));
      const arrows = Object.entries(data.arrows).map(([id, uses]) => ({ drawn: elements.get(id), uses, state: "" }));
      for (const box of boxes) box.drawn.addEventListener("click", () => seekTo(box.shows));
      this.drawn[name] = { svg, boxes, arrows, gauges: boxes.flatMap((box) => gauge(box) ?? []), width: svg.width.baseVal.value, height: svg.height.baseVal.value };
    }
    this.view = name;
    this.box.querySelector("svg")?.remove();
    this.box.append(this.drawn[name].svg);
    this.measure();
    this.fit();
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    }
  },

  /** Fill the boxes of layers by what they let through, unit by unit. */
  measure() {
    for (const each of this.drawn[this.view]?.gauges ?? []) each();
  },

  /** As high as there is room, and never too small to read. */
  fit() {
    if (!this.view) return;
    const { svg, width, height } = this.drawn[this.view];
    const room = [(this.box.clientWidth - 4) / width, (this.box.clientHeight - 4) / height];
    const whole = Math.min(...room, 1.4);
    const scale = whole >= SMALLEST ? whole : Math.max(SMALLEST, Math.min(room[1], 1));
    svg.style.width = `${width * scale}px`;
    svg.style.height = `${height * scale}px`;
  },

  show(position, hurry) {
    if (!this.view) return;
    const { boxes, arrows } = this.drawn[this.view];
    const states = nodes.map((node) => stateOf(node, position));
    let current = null;
    for (const box of boxes) {
      const state = together(box.shows.map((number) => states[number]));
      if (state === "current" && (!current || box.shows.length <= current.shows.length)) current = box;
      mark(box, state);
    }
    const event = events[position];
    for (const arrow of arrows) mark(arrow, stateOfArrow(arrow.uses, event));
    this.box.classList.toggle("back", event.phase === "backward");
    const within = event.phase !== "backward" || arrows.some((arrow) => arrow.state === "current");
    document.querySelector(".within").hidden = within;
    if (current) this.surround(current.drawn, hurry);
    else this.halo.remove();
  },

  /** A halo round the box at work, and the box in sight. */
  surround(drawn, hurry) {
    const around = drawn.getBBox();
    const grown = { x: around.x - 6, y: around.y - 6, width: around.width + 12, height: around.height + 12, rx: 8 };
    for (const [name, value] of Object.entries(grown)) this.halo.setAttribute(name, value);
    this.halo.setAttribute("class", "halo");
    drawn.before(this.halo);
    const [seen, frame] = [drawn.getBoundingClientRect(), this.box.getBoundingClientRect()];
    const margin = { x: Math.min(120, frame.width / 4), y: 20 };
    const inside = seen.left > frame.left + margin.x && seen.right < frame.right - margin.x
      && seen.top > frame.top + margin.y && seen.bottom < frame.bottom - margin.y;
    if (inside) return;
    this.box.scrollBy({
      left: seen.left + seen.width / 2 - frame.left - frame.width / 2,
      top: seen.top + seen.height / 2 - frame.top - frame.height / 2,
      behavior: hurry || still.matches ? "instant" : "smooth",
    });
  },

  zoom(by) {
    const at = this.views.indexOf(this.view) + by;
    if (at >= 0 && at < this.views.length) look(this.views[at]);
  },
};

const MOST_BARS = 12; // units that have a bar each; of more, the mean has one
const ONE_LAYER = 11; // nodes that a box of one layer stands for at most; a gated cell has more

/** Of a box that is one layer of a cell: what fills it to the level of each unit, a tanh from the middle. Null of others. */
function gauge({ drawn, shows }) {
  const layer = shows.length <= ONE_LAYER && tape.layers.find(({ at }) => shows.some((number) => at.includes(nodes[number].at)));
  const shape = drawn.querySelector("path, polygon, ellipse");
  if (!layer || !shape) return null;
  const number = nodes[shows.find((each) => layer.at.includes(nodes[each].at))].at;
  const [low, high] = layer.range;
  const group = make("g", { class: "gauge", "aria-hidden": "true" });
  shape.after(group);
  return () => {
    const levels = openings(network.values[number]).map((x) => (x - low) / (high - low));
    const { x, y, width, height } = shape.getBBox();
    const [inset, wide] = [2, (width - 4) / levels.length];
    const level = (share) => y + inset + (height - 2 * inset) * (1 - Math.min(1, Math.max(0, share)));
    const zero = level(low < 0 ? -low / (high - low) : 0);
    group.replaceChildren(...levels.filter(Number.isFinite).map((share, i) => make("rect", {
      x: x + inset + i * wide, y: Math.min(zero, level(share)), width: Math.max(0.5, wide - 0.8), height: Math.abs(level(share) - zero),
    })));
  };
}

/** What each unit lets through, on the average of all sequences; of many units the mean. */
function openings({ shape, data }) {
  const units = shape.at(-1) ?? 1;
  const means = Array.from({ length: units }, (_, i) => mean(Array.from({ length: data.length / units }, (__, n) => data[n * units + i])));
  return units <= MOST_BARS ? means : [mean(means)];
}

function mark(each, state) {
  if (each.state === state) return;
  if (each.state) each.drawn.classList.remove(each.state);
  if (state) each.drawn.classList.add(state);
  each.state = state;
}

/** done, current, part (some has arrived), pending, or idle: not concerned. */
function stateOf(node, position) {
  const event = events[position];
  if (event.phase === "forward") {
    const at = forwardAt[node.number];
    return at === null ? "idle" : at < position ? "done" : at === position ? "current" : "pending";
  }
  if (event.node === node.number) return "current";
  if (node.gradient === null) return "idle";
  const span = backward[node.number];
  if (span && position > span[1]) return "done";
  const arrived = arrivedBy(node, event);
  if (!arrived) return "pending";
  return node.op === null && arrived === node.arrivals.length ? "done" : "part";
}

function together(states) {
  if (states.includes("current")) return "current";
  const concerned = new Set(states.filter((state) => state !== "idle"));
  if (!concerned.size) return "idle";
  return concerned.size === 1 ? [...concerned][0] : "part";
}

/** When each use of a tensor by a node brings its gradient. */
const usedAt = new Map();
for (const event of events) {
  if (event.phase === "backward") usedAt.set(`${event.target.number}/${event.node}`, event.position);
}

function stateOfArrow(uses, event) {
  const now = uses.some(([x, node]) => node === event.node && (event.phase === "forward" || event.target?.number === x));
  if (now && (event.phase === "forward" || event.edge)) return "current";
  if (event.phase === "forward") {
    const at = uses.map(([, node]) => forwardAt[node]).filter((each) => each !== null);
    return at.length && Math.max(...at) < event.position ? "done" : "pending";
  }
  const at = uses.map(([x, node]) => usedAt.get(`${x}/${node}`)).filter((each) => each !== undefined);
  if (!at.length) return "idle";
  return Math.max(...at) <= event.position ? "done" : "pending";
}

/** To where one of these nodes is at work, in the phase that we are in. */
function seekTo(shows) {
  const forward = walk.event.phase === "forward";
  const at = shows.map((number) => (forward ? forwardAt[number] : backward[number]?.[0] ?? arrivals[number][0]?.position))
    .filter((position) => position !== null && position !== undefined);
  if (at.length) go(Math.min(...at));
}
