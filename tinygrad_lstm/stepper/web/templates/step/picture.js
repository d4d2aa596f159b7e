// The picture: one view at a time, laid out once. Its elements take on the state of the nodes they stand for.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const SMALLEST = 0.44; // of real size: words are still readable
const FARTHEST = 0.05; // of real size: more steps at once would be too many elements, and none of them is seen
const PAIR = { least: 7.5, largest: 12, seen: 8 }; // points of data | grad: as large as can be read, where neighbours leave room
const SVG = "http://www.w3.org/2000/svg";

const FINE = 1000; // parts of a point, in which Python gives places
const FORMS = unfolding.list(page.forms);
const forms = []; // elements that Graphviz painted, as pieces between their words

function formOf(number) {
  return (forms[number] ??= FORMS.at(number)[0].split(/(%[s%])/).reduce((pieces, piece) => {
    if (piece === "%s") pieces.push("");
    else pieces[pieces.length - 1] += piece === "%%" ? "%" : piece;
    return pieces;
  }, [""]));
}

/** An element with its words. */
function markText([, [number, ...which], ...words]) {
  const pieces = formOf(number);
  return pieces.slice(1).reduce((text, piece, i) => text + words[which[i]] + piece, pieces[0]);
}

/** A view of the network that is looked at: columns of elements, of which those in sight are in the document. */
class Drawn {
  constructor({ paper, style, description, columns, marks, stands }) {
    [this.width, this.height, this.left, this.top] = paper.map((x) => x / FINE);
    this.marks = unfolding.list(marks);
    this.stands = unfolding.list(stands);
    let first = 0;
    this.columns = [...unfolding.list(columns)].map(([id, dx, dy, left, right, count]) => {
      const column = { id, dx: dx / FINE, dy: dy / FINE, left: this.left + left / FINE, right: this.left + right / FINE, first, count, drawn: null };
      first += count;
      return column;
    });
    this.svg = make("svg", { role: "img", class: page.styled, viewBox: `0 0 ${this.width.toFixed(2)} ${this.height.toFixed(2)}`, "font-family": "Helvetica,Arial,sans-serif" });
    this.svg.append(...["title", "desc", "style"].map((name) => make(name, {})));
    const [title, desc, styled] = this.svg.children;
    [title.textContent, desc.textContent, styled.textContent] = [document.title, description, style];
    styled.insertAdjacentHTML("afterend", page.paper);
    this.group = make("g", { class: "graph", transform: `translate(${this.left.toFixed(2)} ${this.top.toFixed(2)})` });
    this.svg.append(this.group);
  }

  /** The columns in the document. */
  get present() { return this.columns.filter(({ drawn }) => drawn); }

  /** Have those columns in the document that lie between two places, and no others. */
  between(left, right) {
    let after = null;
    let changed = false;
    for (const column of this.columns.toReversed()) {
      const wanted = column.right >= left && column.left <= right;
      if (wanted !== Boolean(column.drawn)) {
        changed = true;
        if (wanted) this.group.insertBefore(this.draw(column), after);
        else this.drop(column);
      }
      if (column.drawn) after = column.drawn.group;
    }
    return changed;
  }

  draw(column) {
    const group = make("g", { "data-id": column.id, class: "column" });
    if (column.dx || column.dy) group.setAttribute("transform", `translate(${column.dx.toFixed(2)} ${column.dy.toFixed(2)})`);
    const places = Array.from({ length: column.count }, (_, i) => column.first + i);
    const marks = places.map((place) => this.marks.at(place));
    group.innerHTML = marks.map(markText).join("\n");
    column.drawn = { group, boxes: [], arrows: [], gauges: [] };
    [...group.children].forEach((drawn, i) => {
      const [kind] = marks[i];
      if (kind === 1) this.addBox(column, { drawn, shows: this.stands.at(places[i]), state: "" });
      if (kind === 2) column.drawn.arrows.push({ drawn, uses: this.stands.at(places[i]), state: "" });
    });
    const times = column.drawn.boxes.flatMap(({ shows }) => shows.map((number) => tape.times[number])).filter((time) => time !== null);
    group.classList.toggle("added", tape.cell === page.cell && times.length > 0 && Math.min(...times) >= page.steps);
    return group;
  }

  addBox(column, box) {
    box.drawn.addEventListener("click", () => seekTo(box.shows));
    box.filled = vessel(box.drawn);
    column.drawn.boxes.push(box);
    column.drawn.gauges.push(...[gauge(box) ?? []].flat());
  }

  drop(column) {
    column.drawn.group.remove();
    column.drawn = null;
  }

  /** The smallest box of each node: its place among the marks, its column, and how many nodes it shows. */
  get boxOf() {
    if (this.found) return this.found;
    this.found = new Map();
    for (const column of this.columns) {
      for (let place = column.first; place < column.first + column.count; place += 1) {
        const shows = this.stands.at(place);
        if (Array.isArray(shows[0])) continue; // an arrow
        for (const number of shows) {
          if (shows.length < (this.found.get(number)?.size ?? Infinity)) this.found.set(number, { place, column, size: shows.length });
        }
      }
    }
    return this.found;
  }
}

const picture = {
  box: document.querySelector("#picture"),
  view: null,
  drawn: {}, // what was made of each view when it was first shown
  halo: document.createElementNS(SVG, "rect"),

  get views() { return tape.views.map(({ view }) => view); },

  get now() { return this.drawn[this.view]; },

  /** Nothing is drawn yet of the network that is looked at. */
  forget() {
    this.drawn = {};
    this.box.querySelector("svg")?.remove();
    document.querySelector("#picture .nothing").hidden = tape.views.length > 0;
    document.querySelector(".views").hidden = !tape.views.length;
    if (this.view && !this.views.includes(this.view)) this.view = null;
    if (this.view) this.open(this.view);
  },

  /** The view that was asked for, with its elements. */
  open(name) {
    this.drawn[name] ??= new Drawn(tape.views.find(({ view }) => view === name));
    this.view = name;
    this.box.querySelector("svg")?.remove();
    this.box.append(this.now.svg);
    this.fit();
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    }
  },

  /** Fill the boxes of layers by what they let through, unit by unit. */
  measure() {
    for (const { drawn } of this.now?.present ?? []) for (const each of drawn.gauges) each();
  },

  /** As high as there is room, and never too small to read. */
  fit() {
    if (!this.view) return;
    const { svg, width, height } = this.now;
    minimap.frame.hidden = true;
    this.scale = this.scaleInRoom();
    minimap.frame.hidden = width * this.scale < this.box.clientWidth + 8;
    if (!minimap.frame.hidden) this.scale = this.scaleInRoom(); // the map takes some of it
    svg.style.width = `${width * this.scale}px`;
    svg.style.height = `${height * this.scale}px`;
    svg.style.setProperty("--pair", `${Math.min(PAIR.largest, Math.max(PAIR.least, PAIR.seen / this.scale))}px`);
    this.look();
  },

  scaleInRoom() {
    const room = this.room();
    const whole = Math.min(...room, 1.4);
    this.fitted = whole >= SMALLEST ? whole : Math.max(SMALLEST, Math.min(room[1], 1));
    this.least = Math.min(0.25, Math.max(whole, FARTHEST) / this.fitted);
    return this.fitted * Math.max(this.nearer, this.least);
  },

  /** What the width of the picture, and its height, may be multiplied by. */
  room() { return [(this.box.clientWidth - 4) / this.now.width, (this.box.clientHeight - 4) / this.now.height]; },

  nearer: 1,

  /** Show another view, or another size, of what one looks at now, where it is seen now. */
  keeping(change) {
    const seen = this.seen();
    change();
    this.lead(seen);
    this.show(walk.position, true, !seen.length || seen[0].atWork);
  },

  /** The boxes in sight, with where they are seen: the one at work first, then from the middle outwards. */
  seen() {
    if (!this.view) return [];
    const frame = this.box.getBoundingClientRect();
    const boxes = this.now.present.flatMap(({ drawn }) => drawn.boxes).filter(({ shows }) => shows.length);
    const found = boxes.map((box) => {
      const { shows, drawn } = box;
      const [x, y] = centre(drawn, frame);
      const atWork = box === this.current;
      const away = atWork ? -1 : Math.hypot(x - frame.width / 2, y - frame.height / 2);
      return { shows: atWork ? [walk.event.node] : shows, atWork, away, x, y };
    });
    return found.filter(({ x, y }) => x >= 0 && x <= frame.width && y >= 0 && y <= frame.height).sort((a, b) => a.away - b.away);
  },

  /** Scroll to where the first of what one looks at, that is drawn here too, is seen at the same place as before. */
  lead(seen) {
    const drawnHere = ({ shows }) => shows.find((number) => this.now.boxOf.has(number));
    const anchor = seen.find((each) => drawnHere(each) !== undefined);
    if (!anchor) return;
    const number = drawnHere(anchor);
    this.scrollTo(this.now.boxOf.get(number).column, "instant");
    const drawn = this.boxShowing(number);
    if (!drawn) return;
    const [x, y] = centre(drawn, this.box.getBoundingClientRect());
    this.box.scrollBy({ left: x - anchor.x, top: y - anchor.y, behavior: "instant" });
    this.look();
  },

  /** The smallest box in the document that shows a node. */
  boxShowing(number) {
    const boxes = this.now.present.flatMap(({ drawn }) => drawn.boxes).filter(({ shows }) => shows.includes(number));
    return boxes.reverse().sort((a, b) => a.shows.length - b.shows.length)[0]?.drawn ?? null;
  },

  /** Have in the document what is in sight, and as much on both sides. */
  look() {
    if (!this.view) return;
    const { scrollLeft, clientWidth } = this.box;
    const margin = Math.max(clientWidth, 400);
    if (!this.now.between((scrollLeft - margin) / this.scale, (scrollLeft + clientWidth + margin) / this.scale)) return;
    this.measure();
    if (!events.length) return;
    this.mark(walk.position);
    pairs.show(walk.event);
  },

  /** Give every element in the document the state of what it stands for; return the box at work. */
  mark(position) {
    const event = events[position];
    const states = new Map();
    const state = (number) => {
      if (!states.has(number)) states.set(number, stateOf(nodes[number], position));
      return states.get(number);
    };
    let current = null;
    for (const { drawn } of this.now.present) {
      for (const box of drawn.boxes) {
        const found = together(box.shows.map(state));
        if (found === "current" && (!current || box.shows.length <= current.shows.length)) current = box;
        mark(box, found);
        fill(box, levelOf(box.shows, event));
      }
      for (const arrow of drawn.arrows) mark(arrow, stateOfArrow(arrow.uses, event));
    }
    return current;
  },

  /** Show an event; ``follow`` says whether to bring its box into sight. */
  show(position, hurry, follow = true) {
    if (!this.view) return;
    const event = events[position];
    const column = this.now.boxOf.get(event.node)?.column;
    if (follow && column && !column.drawn) this.scrollTo(column, "instant");
    const current = (this.current = this.mark(position));
    this.box.classList.toggle("back", event.phase === "backward");
    const within = event.phase !== "backward" || this.now.present.some(({ drawn }) => drawn.arrows.some(({ state }) => state === "current"));
    document.querySelector(".within").hidden = within;
    if (!current) this.halo.remove();
    else {
      this.surround(current);
      if (follow) this.bring(current.drawn, hurry);
    }
  },

  /** Bring a column into sight. */
  scrollTo({ left, right }, behavior) {
    this.box.scrollTo({ left: ((left + right) / 2) * this.scale - this.box.clientWidth / 2, behavior });
    this.look();
  },

  /** A halo round the box at work. */
  surround(box) {
    const around = (box.around ??= box.drawn.getBBox());
    const grown = { x: around.x - 6, y: around.y - 6, width: around.width + 12, height: around.height + 12, rx: 8 };
    for (const [name, value] of Object.entries(grown)) this.halo.setAttribute(name, value);
    this.halo.setAttribute("class", "halo");
    box.drawn.before(this.halo);
  },

  /** Bring a box into sight. */
  bring(drawn, hurry) {
    const [seen, frame] = [drawn.getBoundingClientRect(), this.box.getBoundingClientRect()];
    const [x, y] = centre(drawn, frame);
    const [across, down] = [Math.min(120, frame.width / 4), 20];
    const left = seen.left > frame.left + across && seen.right < frame.right - across ? 0 : x - frame.width / 2;
    const top = seen.top > frame.top + down && seen.bottom < frame.bottom - down ? 0 : y - frame.height / 2;
    if (left || top) this.box.scrollBy({ left, top, behavior: hurry || still.matches ? "instant" : "smooth" });
  },

  /** A nearer picture, or a farther one: of the same view, by a factor; 0 fits it. */
  zoom(by) {
    this.keeping(() => {
      this.nearer = by ? Math.max(this.least, Math.min(this.nearer * by, 6)) : 1;
      this.fit();
    });
    pairs.show(walk.event);
    minimap.show(walk.event);
  },

  /** Nearer, or farther, by a factor; what is under the mouse stays there. */
  zoomAt(by, { clientX, clientY }) {
    const before = this.now.svg.getBoundingClientRect();
    const scale = this.scale;
    this.nearer = Math.max(this.least, Math.min(this.nearer * by, 6));
    this.fit();
    const [after, grown] = [this.now.svg.getBoundingClientRect(), this.scale / scale];
    const moved = (at, was, is) => is + (at - was) * grown - at;
    this.box.scrollBy({ left: moved(clientX, before.left, after.left), top: moved(clientY, before.top, after.top), behavior: "instant" });
    pairs.show(walk.event);
    minimap.show(walk.event);
  },

  /** All of it in the window, however small; of a very long one as much as can still be told apart. */
  whole() {
    this.zoom(Math.max(Math.min(...this.room()), FARTHEST) / this.fitted / this.nearer);
  },
};

/** Where the middle of an element is, from the corner of a frame. */
function centre(drawn, frame) {
  const { left, top, width, height } = drawn.getBoundingClientRect();
  return [left + width / 2 - frame.left, top + height / 2 - frame.top];
}

// A mouse drags the picture, and its wheel zooms; fingers on the screen scroll it, as they do everywhere.

const SLACK = 4; // pixels a mouse may move in a click

picture.box.addEventListener("pointerdown", (press) => {
  const { box } = picture;
  const frame = box.getBoundingClientRect();
  const onScrollBar = press.clientX - frame.left >= box.clientWidth || press.clientY - frame.top >= box.clientHeight;
  if (press.pointerType !== "mouse" || press.button !== 0 || onScrollBar) return;
  const [left, top] = [box.scrollLeft + press.clientX, box.scrollTop + press.clientY];
  const drag = ({ clientX, clientY, buttons }) => {
    if (!(buttons & 1)) return drop(); // the button came up outside
    const dragged = box.hasPointerCapture(press.pointerId);
    if (!dragged && Math.hypot(clientX - press.clientX, clientY - press.clientY) < SLACK) return;
    if (!dragged) box.setPointerCapture(press.pointerId); // no box is clicked then
    box.classList.add("dragging");
    box.scrollTo({ left: left - clientX, top: top - clientY, behavior: "instant" });
  };
  const drop = () => {
    box.classList.remove("dragging");
    box.removeEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) box.removeEventListener(end, drop);
  };
  box.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, drop);
});

picture.box.addEventListener("wheel", (turn) => {
  const page = document.querySelector("main");
  const scrolls = page.scrollHeight > page.clientHeight; // on a narrow page the wheel goes on to the panels
  if (!picture.view || Math.abs(turn.deltaX) > Math.abs(turn.deltaY) || (scrolls && !turn.ctrlKey)) return;
  turn.preventDefault();
  const pixels = turn.deltaY * (turn.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
  picture.zoomAt(Math.exp(-Math.max(-300, Math.min(300, pixels)) * (turn.ctrlKey ? 0.01 : 0.002)), turn);
}, { passive: false });

picture.box.addEventListener("scroll", () => requestAnimationFrame(() => picture.look()), { passive: true });

const MOST_BARS = 12; // units that have a bar each; of more, the mean has one
const ONE_LAYER = 11; // nodes that a box of one layer stands for at most; a gated cell has more

const layerOf = (shows) => tape.layers.find(({ at }) => shows.some((number) => at.includes(number)));

/** Of a box that is one layer of a cell: bars in it to the level of each unit, of a tanh from the middle. Null of others. */
function gauge({ drawn, shows, filled }) {
  const layer = shows.length <= ONE_LAYER && layerOf(shows);
  const shape = drawn.querySelector(SHAPES);
  if (!layer || !shape) return null;
  const number = shows.find((each) => layer.at.includes(each));
  const [low, high] = layer.range;
  const group = make("g", { class: "gauge", "aria-hidden": "true" });
  (filled ?? shape).after(group);
  const [above, below] = ["above", "below"].map((name) => make("path", { class: name }));
  group.append(above, below);
  let around = null; // asked for once: the browser lays out the page anew to tell it
  return () => {
    if (!around?.width) around = shape.getBBox();
    const levels = openings(network.values[number]).map((x) => Math.min(1, Math.max(0, (x - low) / (high - low))));
    const zero = low < 0 ? -low / (high - low) : 0;
    const bars = levels.map((level, i) => (Number.isFinite(level) ? barIn(around, zero, level, i, levels.length) : ""));
    above.setAttribute("d", bars.filter((_, i) => levels[i] >= zero).join(""));
    below.setAttribute("d", bars.filter((_, i) => levels[i] < zero).join(""));
  };
}

/** The outline of one of several bars side by side in a box, from zero to a level, as parts of the box's height. */
function barIn({ x, y, width, height }, zero, level, i, count) {
  const [inset, wide] = [2, (width - 4) / count];
  const [from, to] = [zero, level].map((part) => y + inset + (height - 2 * inset) * (1 - part));
  return `M${(x + inset + i * wide).toFixed(2)} ${from.toFixed(2)}V${to.toFixed(2)}h${Math.max(0.5, wide - 0.8).toFixed(2)}V${from.toFixed(2)}z`;
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
  if (event.phase === "forward") return node.number < position ? "done" : node.number === position ? "current" : "pending";
  if (event.node === node.number) return "current";
  if (node.gradient === null) return "idle";
  const span = backward[node.number];
  if (span && position > span[1]) return "done";
  const arrived = arrivedBy(node, event);
  if (!arrived) return "pending";
  return node.isLeaf && arrived === node.arrivals.length ? "done" : "part";
}

function together(states) {
  if (states.includes("current")) return "current";
  const concerned = new Set(states.filter((state) => state !== "idle"));
  if (!concerned.size) return "idle";
  return concerned.size === 1 ? [...concerned][0] : "part";
}

function stateOfArrow(uses, event) {
  const now = uses.some(([x, node]) => node === event.node && (event.phase === "forward" || event.target?.number === x));
  if (now && (event.phase === "forward" || event.edge)) return "current";
  if (event.phase === "forward") return uses.length && Math.max(...uses.map(([, node]) => node)) < event.position ? "done" : "pending";
  const at = uses.flatMap(([x, node]) => usedAt(x, node));
  if (!at.length) return "idle";
  return Math.max(...at) <= event.position ? "done" : "pending";
}

/** When the uses of a tensor by a node bring its gradient. */
const usedAt = (x, node) => nodes[node].inputs.flatMap((input, slot) => (input === x ? numberOf.get(`${node}/${slot}`) ?? [] : []));

/** To where one of these nodes is at work, in the phase that we are in. */
function seekTo(shows) {
  const forward = walk.event.phase === "forward";
  const at = shows.map((number) => (forward ? number : backward[number]?.[0] ?? arrivals[number][0]?.position))
    .filter((position) => position !== null && position !== undefined);
  if (at.length) go(Math.min(...at));
}
