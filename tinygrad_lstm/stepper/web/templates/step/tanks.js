// A tank for each weight: each += falls into it, in the colour of its time step, and lies on those that came before.

const MOST_TANKS = 60;
const MOST_LAYERS = 64; // in one tank: steps that follow each other and have one colour are one
const TIME_COLOURS = 8;
const FALL = 420; // milliseconds
const MOST_DROPS = 12; // that fall at once

/** The colour of a time step, early to late, as in the pictures of where in time a gradient comes from. */
function timeColour(time) {
  const at = tape.flow.findIndex((row) => row.time === time);
  return at < 0 ? "var(--muted)" : `var(--time${Math.floor((at * TIME_COLOURS) / tape.flow.length)})`;
}

/** What the equations call a leaf, as HTML: with what stands below. */
function lettered(node) {
  const [edge] = network.arriving.get(node.number) ?? [];
  const letters = (edge && nodes[edge.node].letters[edge.slot]) || named(node);
  const [letter, ...below] = letters.split("_");
  return /^[^_]{1,5}_[^_]{1,3}$/.test(letters) ? [letter, element("sub", { textContent: below.join("") })] : [letters];
}

const tanks = {
  section: document.querySelector("#tanks"),
  all: [],
  position: 0,
  explained: null,

  /** Tanks for the network that is looked at, still empty. */
  build() {
    const leaves = nodes.filter(({ number, isLeaf }) => isLeaf && number !== network.output && network.expected.has(number));
    this.section.hidden = !leaves.length;
    this.all = leaves.slice(0, MOST_TANKS).map((node) => this.tank(node));
    this.section.querySelector(".row-of").replaceChildren(...this.all.map(({ button }) => button));
    const times = tape.flow.map(({ time }) => time);
    const scale = this.section.querySelector(".scale");
    scale.hidden = times.length < 2;
    scale.replaceChildren(`t = ${times[0]} `, ...Array.from({ length: Math.min(times.length, TIME_COLOURS) }, (_, i) => {
      const swatch = element("i");
      swatch.style.background = timeColour(times[Math.floor((i * times.length) / Math.min(times.length, TIME_COLOURS))]);
      return swatch;
    }), ` ${times.at(-1)}`);
    this.section.querySelector(".left-out").textContent = leaves.length > MOST_TANKS ? `${leaves.length - MOST_TANKS} more have no tank here` : "";
    [this.position, this.explained] = [walk.position, null];
    this.measure();
  },

  tank(node) {
    const liquid = element("i", { className: "liquid" });
    const glass = element("span", { className: "glass" }, liquid);
    const button = element("button", { type: "button", className: "tank" }, glass, element("span", { className: "letters" }, ...lettered(node)));
    const made = { node, liquid, glass, button, ends: [] };
    button.addEventListener("click", () => this.next(made));
    button.addEventListener("pointerenter", () => this.explain(made));
    button.addEventListener("focus", () => this.explain(made));
    for (const leaving of ["pointerleave", "blur"]) button.addEventListener(leaving, () => this.explain(null));
    return made;
  },

  /** How high each += will lie: its norm, as a part of the sum of all norms. */
  measure() {
    for (const tank of this.all) {
      const edges = network.arriving.get(tank.node.number) ?? [];
      const sizes = edges.map((edge) => network.sizeOf(edge));
      tank.sum = sizes.reduce((sum, size) => sum + size, 0);
      tank.sizes = sizes;
      let level = 0;
      tank.ends = sizes.map((size) => (level += tank.sum > 0 && Number.isFinite(tank.sum) ? size / tank.sum : 0));
      tank.liquid.style.background = layers(edges.map(({ node }) => tape.times[node]), tank.ends);
    }
  },

  /** How full the tanks are at an event; what has just been added falls from its box, where somebody walks. */
  show(event, walks) {
    const before = this.position;
    this.position = event.position;
    for (const tank of this.all) {
      const arrived = arrivedBy(tank.node, event);
      const level = arrived ? tank.ends[arrived - 1] : 0;
      tank.button.classList.toggle("whole", arrived > 0 && arrived === tank.node.arrivals.length);
      tank.button.classList.toggle("now", event.target === tank.node);
      tank.button.setAttribute("aria-label", this.words(tank, arrived));
      if (tank.level === level) continue;
      tank.level = level;
      tank.liquid.style.setProperty("--filled", String(level));
    }
    this.explain(this.explained);
    this.drops.splice(0).forEach((drop) => drop.cancel());
    if (walks && !still.matches && before >= seedPosition && event.position > before) this.fall(before, event.position);
  },

  words({ node, sizes, sum }, arrived) {
    const parts = `${arrived} of ${sizes.length} parts of ∂L/∂${named(node)} have arrived`;
    if (!arrived || !(sum > 0)) return parts;
    return `${parts}, ${Math.round((100 * sizes.slice(0, arrived).reduce((a, b) => a + b, 0)) / sum)} % of the sum of their norms`;
  },

  drops: [],

  /** A drop for each tank that got something between two events, from the box that it comes from. */
  fall(from, to) {
    const last = new Map();
    for (let position = from + 1; position <= to; position += 1) {
      const { edge, target } = events[position];
      if (edge) last.set(target.number, edge);
    }
    const given = this.all.filter(({ node }) => last.has(node.number)).slice(0, MOST_DROPS);
    for (const { node, glass, level } of given) {
      const { node: source } = last.get(node.number);
      const box = picture.view && picture.boxShowing(source);
      if (!box) continue;
      const drop = element("i", { className: "drop" });
      drop.style.background = timeColour(tape.times[source]);
      document.body.append(drop);
      this.drops.push(falling(drop, middle(box), surface(glass, level)));
    }
  },

  holds(node) { return this.all.some((tank) => tank.node === node); },

  /** To the next += into a tank; from the last one to the first. */
  next({ node }) {
    const positions = node.arrivals;
    go(positions.find((position) => position > walk.position) ?? positions[0]);
  },

  /** What one tank holds, in words; of none, what tanks are. */
  explain(tank) {
    this.explained = tank;
    const said = this.section.querySelector(".explained");
    if (!tank) {
      said.textContent = said.dataset.plain;
      return;
    }
    const arrived = arrivedBy(tank.node, walk.event);
    const parts = tank.sizes.slice(0, arrived).map((size, i) => [size, network.arriving.get(tank.node.number)[i].node]).reverse().slice(0, 4)
      .map(([size, node]) => `${tape.times[node] === null ? "" : `t${tape.times[node]} `}‖${shown(size, 3)}‖`);
    const whole = arrived === tank.sizes.length && arrived > 1 ? `; their sum has ‖${shown(normOf(tank.node.gradient), 3)}‖ of ${shown(tank.sum, 3)}` : "";
    said.textContent = `${this.words(tank, arrived)}${parts.length ? `: ${parts.join(", ")}${arrived > 4 ? ", …" : ""}` : ""}${whole}`;
  },
};

/** Layers of colour, one on the other, as a background; those that follow each other in one colour are one. */
function layers(times, ends) {
  const made = [];
  times.forEach((time, i) => {
    const colour = timeColour(time);
    if (made.at(-1)?.colour === colour && times.length > TIME_COLOURS) made.at(-1).end = ends[i];
    else made.push({ colour, start: ends[i - 1] ?? 0, end: ends[i] });
  });
  const per = (share) => `${(100 * share).toFixed(2)}%`;
  return `linear-gradient(to top, ${made.slice(0, MOST_LAYERS).map(({ colour, start, end }) => `${colour} ${per(start)} ${per(end)}`).join(", ")})`;
}

/** The middle of a box of the picture in the window, or where it would leave the picture. */
function middle(box) {
  const frame = picture.box.getBoundingClientRect();
  const [x, y] = centre(box, frame);
  return [frame.left + Math.max(0, Math.min(x, frame.width)), frame.top + Math.max(0, Math.min(y, frame.height))];
}

/** Where a tank is full to. */
function surface(glass, level) {
  const { left, width, top, height } = glass.getBoundingClientRect();
  return [left + width / 2, top + height * (1 - level)];
}

/** The motion of a drop, which is gone when it has arrived. */
function falling(drop, [x0, y0], [x1, y1]) {
  const at = (x, y, scale) => `translate(${x}px, ${y}px) scale(${scale})`;
  const motion = drop.animate([{ transform: at(x0, y0, 1.3) }, { transform: at(x1, y1, 0.7) }], { duration: FALL, easing: "cubic-bezier(.5, 0, .8, .6)", fill: "both" });
  motion.onfinish = () => drop.remove();
  motion.oncancel = () => drop.remove();
  return motion;
}
