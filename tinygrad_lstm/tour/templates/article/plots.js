// Plots: lines over the words on a linear or a logarithmic height, and grids of units over the words.

const SVG = "http://www.w3.org/2000/svg";
const [LEFT, RIGHT, TOP] = [46, 10, 10];

/** As wide as there is room, so that words are as large as they are elsewhere. */
const roomOf = (host, most = 720) => Math.max(140, Math.min(most, host.clientWidth || 640));

function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A picture of a size that says in words what it shows. */
function canvas(host, high, label, wide) {
  const svg = drawn("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": label, class: "drawn" });
  host.replaceChildren(svg);
  return svg;
}

/** The words below a plot, turned where they are many; those that find no room are left out. */
function named(svg, names, at, y) {
  const apart = names.length > 1 ? at(1) - at(0) : 640;
  const turned = apart < 7 * Math.max(...names.map((name) => [...name].length));
  const every = Math.ceil((turned ? 11 : 1) / apart);
  names.forEach((name, t) => {
    if (t % every) return;
    const place = turned ? { transform: `translate(${at(t) + 3} ${y + 10}) rotate(-50)`, "text-anchor": "end" } : { x: at(t), y: y + 14, "text-anchor": "middle" };
    svg.append(drawn("text", { ...place, class: "name" }, shortened(name, 8)));
  });
}

const shortened = (text, most) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

/**
 * Lines over names. Each series has values, one for each name, a class and a name of its own; "ghost" ones are behind.
 * On a logarithmic height zeros are left out. The cursor marks a place.
 */
function lines(host, { names, series, label, low = null, high = null, log = false, tall = 190, cursor = null, unit = "" }) {
  const below = names.some((name) => [...name].length > 3) || names.length > 30 ? 64 : 26;
  const whole = roomOf(host);
  const svg = canvas(host, tall + below, label, whole);
  const all = series.flatMap(({ values }) => values).filter((x) => Number.isFinite(x) && (!log || x > 0));
  const place = log ? Math.log10 : (x) => x;
  let [least, most] = [low ?? Math.min(...all), high ?? Math.max(...all)].map(place);
  if (!(most > least)) [least, most] = [least - 1, most + 1];
  if (log) [least, most] = [Math.floor(least - 0.05), Math.ceil(most + 0.05)];
  const at = (t) => LEFT + 8 + (names.length > 1 ? (t * (whole - LEFT - RIGHT - 16)) / (names.length - 1) : (whole - LEFT) / 2);
  const up = (x) => TOP + 14 + (tall - TOP - 14) * (1 - (place(x) - least) / (most - least));
  for (const tick of ticks(least, most, log)) {
    const y = up(log ? 10 ** tick : tick);
    svg.append(drawn("line", { x1: LEFT, x2: whole - RIGHT, y1: y, y2: y, class: "grid" }),
      drawn("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end", class: "tick" }, log ? decade(tick) : `${shown(tick)}${unit}`));
  }
  named(svg, names, at, tall);
  if (cursor !== null) svg.append(drawn("line", { x1: at(cursor), x2: at(cursor), y1: TOP, y2: tall, class: "cursor" }));
  const ends = [];
  for (const { values, kind, name, ghost } of series) {
    let path = "";
    values.forEach((x, t) => {
      if (!Number.isFinite(x) || (log && !(x > 0))) return;
      path += `${path && Number.isFinite(values[t - 1]) && (!log || values[t - 1] > 0) ? "L" : "M"}${at(t).toFixed(1)},${up(x).toFixed(1)}`;
    });
    svg.append(drawn("path", { d: path, class: `line ${kind}${ghost ? " ghost" : ""}` }));
    if (!ghost && cursor !== null && Number.isFinite(values[cursor]) && (!log || values[cursor] > 0)) {
      svg.append(drawn("circle", { cx: at(cursor), cy: up(values[cursor]), r: 4.5, class: `dot ${kind}` }));
    }
    if (name) ends.push({ name, kind, ghost });
  }
  let right = LEFT + 4;
  for (const { name, kind, ghost } of ends) {
    svg.append(drawn("path", { d: `M${right},${TOP - 2}h20`, class: `line ${kind}${ghost ? " ghost" : ""}` }),
      drawn("text", { x: right + 26, y: TOP + 2, class: "key" }, name));
    right += 42 + 7.4 * [...name].length;
  }
  return { svg, at, up };
}

const decade = (n) => `10${String(n).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;

function ticks(least, most, log) {
  const rough = (most - least) / 4;
  const unit = log ? Math.max(1, Math.ceil(rough)) : [1, 2, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(rough))).find((n) => n >= rough * 0.999);
  const found = [];
  for (let n = Math.ceil(least / unit - 1e-9); n <= most / unit + 1e-9; n += 1) found.push(Number((n * unit).toPrecision(12)));
  return found;
}

/** Units as rows over names as columns: warm where positive, cool where negative, as strong as they are large. */
function grid(host, { names, columns, label, most, cursor = null, tall = 150, gate = false }) {
  const [left, below] = [LEFT, names.length > 1 ? 64 : 6];
  const whole = roomOf(host);
  const key = `${whole}/${names.join("\n")}/${columns[0].length}/${tall}`;
  if (host.dataset.key !== key) {
    host.dataset.key = key;
    const svg = canvas(host, tall + below, label, whole);
    const [wide, high] = [(whole - left - RIGHT) / columns.length, tall / columns[0].length];
    const at = (t) => left + (t + 0.5) * wide;
    host.cells = columns.map((column, t) => Array.from(column, (_, i) => {
      const cell = drawn("rect", { x: left + t * wide, y: i * high, width: wide + 0.3, height: high + 0.3 });
      svg.append(cell);
      return cell;
    }));
    if (names.length > 1) named(svg, names, at, tall);
    host.cursor = drawn("rect", { y: 0.5, width: wide, height: tall - 1, class: "frame" });
    host.cursorAt = (t) => host.cursor.setAttribute("x", left + t * wide);
    svg.append(drawn("text", { x: left - 6, y: 11, "text-anchor": "end", class: "tick" }, "unit 0"),
      drawn("text", { x: left - 6, y: tall, "text-anchor": "end", class: "tick" }, String(columns[0].length - 1)), host.cursor);
  }
  host.querySelector("svg").setAttribute("aria-label", label);
  host.cursor.style.display = cursor === null ? "none" : "";
  if (cursor !== null) host.cursorAt(cursor);
  columns.forEach((column, t) => column.forEach((x, i) => {
    const share = Math.min(1, Math.abs(x) / most) || 0;
    host.cells[t][i].style.fill = `color-mix(in srgb, var(--${gate ? "gate" : x < 0 ? "cool" : "warm"}) ${(100 * share).toFixed(1)}%, var(--paper))`;
  }));
}

/** Bars side by side, each with its name and number. */
function bars(host, rows) {
  const most = Math.max(...rows.map(({ value }) => value).filter(Number.isFinite), 0) || 1;
  host.replaceChildren(...rows.map(({ name, value, kind, text }) => {
    const bar = element("span", { className: `bar ${kind}` });
    bar.style.width = `${Number.isFinite(value) ? (100 * value) / most : 0}%`;
    return element("div", { className: "row" }, element("span", { className: "name" }, name), element("span", { className: "track" }, bar), told(value, text ?? shown(value)));
  }));
}
