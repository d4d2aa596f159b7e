// How an array is shown: a few numbers as they are, more as a small heat map, and what lies in a range as bars in it.

const FEW = 16; // so many numbers are written out; more are a heat map
const CELL = 14;
const [WIDE, NARROW, HIGH] = [260, 112, 96]; // how large a heat map may be, in pixels
const MARKED = 8; // pixels: in a square so large there is room for the mark of a negative number
const WRITTEN = 6; // columns of numbers that stand beside each other
const [MOST_UNITS, MOST_ROWS] = [12, 4]; // of bars
const SHADES = 8; // on each side of zero

const dark = matchMedia("(prefers-color-scheme: dark)");

/** The heat maps whose numbers are all shown, by where they stand: they stay so from event to event. */
const opened = new Set();

/**
 * An array for people. Beside others of one scale, ``largest`` is the end of it; ``range`` is where its values lie, if that
 * is known; ``place`` says where it stands.
 */
function arrayView(array, { room = WIDE, largest = null, range = null, place = "" } = {}) {
  if (!array) return element("span", { className: "quiet", textContent: "nothing yet" });
  const view = viewOf(array);
  const { v, rows, shape, stats } = view;
  if (!v.length) return element("span", { className: "quiet", textContent: `empty, shape ${shape}` });
  const columns = v.length / rows;
  if (range && !stats && columns <= MOST_UNITS && rows <= MOST_ROWS) return bars(view, columns, range);
  if (v.length === 1) return element("span", { className: "number", textContent: shown(v[0]) });
  if (!stats && v.length <= FEW && columns <= WRITTEN) return grid(v, rows, columns, shape);
  return chip(view, columns, { room, largest, range, place });
}

function grid(v, rows, columns, shape) {
  const table = element("table", { className: "array", label: `array of shape ${shape}` });
  for (let i = 0; i < rows; i += 1) {
    const row = table.insertRow();
    for (let j = 0; j < columns; j += 1) row.insertCell().textContent = shown(v[i * columns + j]);
  }
  return table;
}

/** Of each unit a bar from zero to its number: an opening, or one to either side. Few have their numbers below them. */
function bars({ v, rows, shape }, columns, [low, high]) {
  const level = (x) => 100 * Math.min(1, Math.max(0, (x - low) / (high - low)));
  const zero = level(0);
  const unit = (x) => {
    const filled = element("i", { className: x < 0 ? "below" : "" });
    if (Number.isFinite(x)) Object.assign(filled.style, { bottom: `${Math.min(zero, level(x))}%`, height: `${Math.abs(level(x) - zero)}%` });
    const well = element("span", { className: "well" }, filled);
    if (low < 0) well.style.setProperty("--zero", `${zero}%`);
    return element("span", { className: "unit", title: shown(x) }, well, ...(columns <= WRITTEN ? [element("small", { textContent: shown(x) })] : []));
  };
  const lines = Array.from({ length: rows }, (_, i) => element("div", { className: "units" }, ...v.slice(i * columns, (i + 1) * columns).map(unit)));
  const words = columns <= WRITTEN ? [] : [element("small", { textContent: spread(v) })];
  const label = `${shape} from ${shown(low)} to ${shown(high)}: ${v.map((x) => shown(x)).join(", ")}`;
  return element("div", { className: "bars-of", role: "img", label }, ...lines, ...words);
}

/** Where values lie, in words. */
const spread = (v, [low, high, middle] = [least(v), most(v), mean(v)]) => `${shown(low)} … ${shown(high)}, mean ${shown(middle)}`;

/** The colours of the heat maps on our pages, from zero to the end of the scale, above zero and below. */
function shades() {
  if (shades.of !== dark.matches) {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    const scale = (name) => Array.from({ length: SHADES }, (_, i) => named(`${name}${i}`));
    Object.assign(shades, { of: dark.matches, above: scale("shade"), below: scale("cool"), ink: named("ink"), light: named("paper") });
  }
  return shades;
}

/** Orange is above zero, blue with a mark below; the stronger, the farther from it. What is not finite is in the colour of ink. */
function painted(v, rows, columns, { room, largest }) {
  const size = Math.max(3, Math.min(CELL, Math.floor(room / columns), Math.floor(HIGH / rows)));
  const canvas = element("canvas", { width: columns * size, height: rows * size, className: "heat", role: "img" });
  Object.assign(canvas.dataset, { rows, columns });
  const paint = canvas.getContext("2d");
  const { above, below, ink, light } = shades();
  v.forEach((x, i) => {
    const [left, top] = [(i % columns) * size, Math.floor(i / columns) * size];
    const shade = Math.min(SHADES - 1, Math.floor((Math.abs(x) / largest) * SHADES));
    paint.fillStyle = Number.isFinite(x) ? (x < 0 ? below : above)[shade] : ink;
    paint.fillRect(left, top, size, size);
    if (!(x < 0 && shade && size >= MARKED)) return;
    paint.fillStyle = shade > SHADES / 2 ? light : ink;
    paint.fillRect(left + Math.round(0.3 * size), top + Math.floor(size / 2), Math.round(0.4 * size), 1);
  });
  return { canvas, size };
}

/** The largest magnitude in several arrays, for a scale of their own. */
function largestIn(...arrays) {
  return arrays.filter(Boolean).flatMap((array) => viewOf(array).v).reduce((size, x) => (Number.isFinite(x) ? Math.max(size, Math.abs(x)) : size), 0);
}

/** A small heat map: a number where one points, statistics where it has the focus, all numbers when it is pressed. */
function chip(view, columns, { room, largest, range, place }) {
  const { v, rows, shape, stats, bad, block, norm: length } = view;
  const finite = v.filter(Number.isFinite);
  const end = range ? Math.max(...range.map(Math.abs)) : largest ?? finite.reduce((size, x) => Math.max(size, Math.abs(x)), 0);
  const { canvas, size } = painted(v, rows, columns, { room, largest: end || 1 });
  const words = spread(v, stats);
  const caption = range ? words : `${shape} · ‖${shown(length)}‖`;
  const statistics = `shape ${shape}, ${range ? "" : `norm ${shown(length)}, `}${words}${bad ? `, ${bad} not finite` : ""}`;
  canvas.setAttribute("aria-label", `heat map, ${statistics}`);
  const readout = element("small", { className: "readout", textContent: caption, ariaHidden: "true" });
  const about = `${block ? "each square is the largest magnitude of a block; " : ""}scale to ±${shown(end)}; press for all numbers`;
  const button = element("button", { type: "button", className: "chip", title: about, ariaExpanded: String(opened.has(place)) }, canvas, readout);
  const made = element("div", { className: "heatmap" }, button);
  const open = () => {
    made.querySelector(".all")?.remove();
    button.setAttribute("aria-expanded", String(opened.has(place)));
    if (opened.has(place)) made.append(allOf(view, columns));
  };
  button.addEventListener("click", () => {
    if (!opened.delete(place)) opened.add(place);
    open();
  });
  button.addEventListener("focus", () => { readout.textContent = words; });
  for (const leaving of ["blur", "pointerleave"]) button.addEventListener(leaving, () => { readout.textContent = caption; });
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const scale = canvas.clientWidth / canvas.width || 1;
    const j = Math.min(columns - 1, Math.max(0, Math.floor(offsetX / size / scale)));
    const i = Math.min(rows - 1, Math.max(0, Math.floor(offsetY / size / scale)));
    readout.textContent = `[${indexOf(view, columns, i, j)}] = ${shown(v[i * columns + j])}`;
  });
  open();
  return made;
}

/** What the index of a square is: of a block, from where to where. */
function indexOf({ rows, block }, columns, i, j) {
  const [height, width] = block ?? [rows, columns];
  return [...(rows > 1 ? [reach(i, rows, height)] : []), reach(j, columns, width)].join(", ");
}

function reach(at, count, whole) {
  const [first, end] = [Math.floor((at * whole) / count), Math.floor(((at + 1) * whole) / count)];
  return end - first > 1 ? `${first}:${end}` : String(first);
}

/** All numbers of a heat map, or of its blocks, with their indices. */
function allOf(view, columns) {
  const { v, rows, shape, block } = view;
  const [height, width] = block ?? [rows, columns];
  const table = element("table", { className: "array", label: `array of shape ${shape}` });
  const head = (text, scope) => element("th", { textContent: text, scope });
  const titles = table.createTHead().insertRow();
  titles.append(element("td"), ...Array.from({ length: columns }, (_, j) => head(reach(j, columns, width), "col")));
  for (let i = 0; i < rows; i += 1) {
    const row = table.insertRow();
    row.append(head(reach(i, rows, height), "row"));
    for (let j = 0; j < columns; j += 1) row.insertCell().textContent = shown(v[i * columns + j]);
  }
  return element("div", { className: "all", tabIndex: 0, role: "group", label: `numbers of shape ${shape}` }, table);
}
