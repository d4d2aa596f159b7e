// The timeline below, and the strip that shows how far back the gradient is felt.

const slider = document.querySelector("#timeline input");
const output = document.querySelector("#timeline output");

const fraction = (position) => (events.length > 1 ? position / (events.length - 1) : 0);
const THUMB = 16; // its middle does not reach the ends of the slider

function showMarks() {
  const place = (position) => `calc(${THUMB / 2}px + (100% - ${THUMB}px) * ${fraction(position)})`;
  const made = [];
  const phases = [["forward", 0], ["seed", seedPosition]];
  for (const [name, position] of phases) {
    if (events[position]?.phase !== name) continue;
    const mark = element("span", { className: `phase ${name}`, textContent: name === "seed" ? "" : name });
    mark.style.left = place(position);
    made.push(mark);
  }
  const firsts = new Map();
  for (const event of events) {
    const { time } = event.of;
    if (time !== null && event.phase === "backward" && !firsts.has(time)) firsts.set(time, event.position);
  }
  const width = document.querySelector(".marks").clientWidth || 600;
  let [last, lastTick, part] = [-Infinity, -Infinity, undefined];
  for (const [time, position] of firsts) {
    const x = fraction(position) * width;
    const phase = tape.phases[time];
    const named = phase && phase !== part ? ` ${phase}` : "";
    if (x - lastTick < 3) continue;
    lastTick = x;
    const roomy = x - last > 34;
    const mark = element("span", { className: "time", textContent: roomy ? `t${time}${named}` : "" });
    if (roomy) [last, part] = [x + 6 * named.length, phase];
    mark.style.left = place(position);
    made.push(mark);
  }
  for (const event of events.filter((each) => walk.isStop(each)).slice(0, 400)) {
    const mark = element("span", { className: "stop" });
    mark.style.left = place(event.position);
    made.push(mark);
  }
  document.querySelector(".marks").replaceChildren(...made);
}

function showTimeline(event) {
  slider.value = String(event.position);
  slider.setAttribute("aria-valuetext", `event ${event.position}, ${event.phase}${event.of.time === null ? "" : `, ${timed(event.of.time)}`}`);
  output.textContent = `event ${event.position} of ${events.length - 1}`;
}

const strip = {
  section: document.querySelector("#strip"),
  cursor: null,

  get names() { return [...new Set(tape.flow.flatMap(({ states }) => Object.keys(states)))]; },

  draw() {
    const rows = tape.flow.map((row) => ({ ...row, ...flowOf(row) }));
    this.section.hidden = rows.length < 2 || !this.names.length;
    document.querySelector("#felt").textContent = this.section.hidden ? "" : unbroken(felt());
    const body = bodyOf("strip");
    if (this.section.hidden) body.replaceChildren();
    if (this.section.hidden) return;
    const [width, height] = [Math.max(body.clientWidth, 240), Math.max(body.clientHeight, 90)];
    const longest = Math.max(...Object.keys(rows.at(-1).norms).map((name) => name.length), 4); // of what is named at the end
    const room = { left: 46, right: Math.min(40 + 6 * Math.max(0, longest - 4), width / 3), top: 8, bottom: rows.some(({ time }) => tape.phases[time]) ? 32 : 18 };
    const norms = rows.flatMap((row) => Object.values(row.norms).map(Number)).filter((x) => x > 0 && Number.isFinite(x));
    let [low, high] = norms.length ? [Math.log10(Math.min(...norms)), Math.log10(Math.max(...norms))] : [-1, 0];
    if (high - low < 1) [low, high] = [low - 0.5, high + 0.5];
    const x = (i) => room.left + ((width - room.left - room.right) * i) / (rows.length - 1);
    const y = (norm) => {
      const level = !Number.isFinite(norm) ? 1 : norm > 0 ? (Math.log10(norm) - low) / (high - low) : 0; // NaN is at the top
      return height - room.bottom - (height - room.top - room.bottom) * level;
    };
    const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Norms of the gradient of ${this.names.join(" and ")} over time, on a logarithmic scale` });
    for (const level of [low, high]) {
      const at = y(10 ** level);
      svg.append(make("line", { x1: room.left, x2: width - room.right, y1: at, y2: at, class: "rule" }));
      svg.append(label(room.left - 4, at + 4, shown(10 ** level, 1), "end"));
    }
    const every = Math.ceil(rows.length / Math.max(2, Math.floor((width - 90) / 34)));
    rows.forEach(({ time }, i) => {
      if (i % every === 0) svg.append(label(x(i), height - room.bottom + 14, `t${time}`, "middle"));
      const phase = tape.phases[time];
      if (phase && phase !== tape.phases[rows[i - 1]?.time]) svg.append(label(x(i), height - 4, phase, "middle"));
    });
    this.cursor = make("line", { y1: 0, y2: height - room.bottom, class: "cursor" });
    svg.append(this.cursor);
    const [ends, above] = [[], []];
    const points = rows.flatMap((row, i) => Object.values(row.norms).map((norm) => [x(i), y(Number(norm))]));
    this.names.forEach((name, which) => {
      const known = rows.map((row, i) => [i, row]).filter(([, row]) => name in row.norms);
      if (!known.length) return;
      const line = known.map(([i, row], k) => `${k ? "L" : "M"}${x(i)},${y(Number(row.norms[name]))}`).join("");
      svg.append(make("path", { d: line, class: `series series${which % 4}` }));
      const size = rows.length > 60 ? 1.5 : 3;
      const apart = Math.ceil((2 * known.length) / (width - room.left - room.right)); // a dot takes two pixels at least
      for (const [i, row] of known) if (i % apart === 0) svg.append(this.dot(x(i), y(Number(row.norms[name])), size, which, name, row));
      const [i, row] = known.at(-1);
      if (i < rows.length - 1) { // others go on where it ends: its name stands over it, or under it
        const under = points.filter(([px]) => px > x(i) - 6.5 * name.length && px <= x(i) + 4).map(([, py]) => py);
        let level = Math.min(...under) - 8;
        while (above.some(([px, py]) => Math.abs(py - level) < 11 && Math.abs(px - x(i)) < 6.5 * name.length)) level -= 11;
        if (level < 8) level = Math.max(...under) + 15;
        above.push([x(i), level]);
        svg.append(label(x(i) + 4, level, name, "end"));
        return;
      }
      let at = y(Number(row.norms[name])) + 4;
      while (ends.some((other) => Math.abs(other - at) < 11)) at += 11;
      ends.push(at);
      svg.append(label(x(i) + 7, at, name, "start"));
    });
    svg.addEventListener("click", ({ clientX }) => {
      const at = clientX - svg.getBoundingClientRect().left;
      const i = Math.round(((at - room.left) / (width - room.left - room.right)) * (rows.length - 1));
      this.seek(rows[Math.max(0, Math.min(rows.length - 1, i))]);
    });
    this.x = (time) => x(rows.findIndex((row) => row.time === time));
    body.replaceChildren(svg);
  },

  dot(x, y, size, which, name, row) {
    const square = which % 2;
    const dot = square ? make("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size })
      : make("circle", { cx: x, cy: y, r: size });
    dot.setAttribute("class", `dot series${which % 4}`);
    const saturated = Object.entries(row.saturation).filter(([, share]) => share > 0)
      .map(([gate, share]) => `${gate} ${Math.round(100 * share)} %`).join(", ");
    const title = make("title", {});
    title.textContent = `${timed(row.time)}: ‖∂L/∂${name}‖ = ${shown(Number(row.norms[name]))}${saturated ? `; saturated: ${saturated}` : ""}`;
    dot.append(title);
    dot.addEventListener("click", (click) => {
      click.stopPropagation();
      this.seek(row, name);
    });
    return dot;
  },

  /** To the event that completes a step's gradient: of this state, or of the first that has one. */
  seek({ time, states }, name) {
    const wanted = name === undefined ? Object.values(states) : [states[name]];
    const complete = wanted.flatMap((number) => nodes[number].arrivals.at(-1) ?? []);
    if (complete.length) go(Math.min(...complete));
    else say(`nothing arrives at t = ${time}`);
  },

  show({ of }) {
    if (!this.cursor) return;
    const there = of.time !== null && tape.flow.some(({ time }) => time === of.time);
    this.cursor.style.display = there ? "" : "none";
    if (there) for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(of.time));
  },
};

/** A text in which no line ends between a number and what stands before or after it: t = 3, × 0.7, 20 %. */
const unbroken = (text) => text.replace(/ (?=[=×%])|(?<=[=×]) /gu, "\u00a0");

function make(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function label(x, y, text, anchor) {
  const made = make("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}
