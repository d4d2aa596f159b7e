// The loop, unfolded: painted columns are moved apart, and the painted loop stays on what is still folded.

(() => {
  const figure = figureOf("loop");
  const svg = figure.root.querySelector("svg");
  const part = (id) => svg.querySelector(`[data-id="${id}"]`);
  const columns = [];
  for (let t = 0; svg && part(`t${t}`); t += 1) columns.push(part(`t${t}`));
  const [after, loop] = svg ? ["after", "loop"].map(part) : [];
  const written = (column, what) => column.querySelector(`${what} text`);
  const names = columns.map((column) => written(column, ".edge.data")?.textContent);
  const shifts = columns.map((column) => transformOf(column));
  const boxes = columns.map((column, t) => column.querySelector(".node.cell").getBBox().x + shifts[t]);
  const pitch = columns.length > 1 ? boxes[1] - boxes[0] : 0;
  const start = loop ? transformOf(loop) : 0;
  const last = Number(figure.range.max);
  const [, , wide, high] = svg ? svg.getAttribute("viewBox").split(" ").map(Number) : [];

  function transformOf(group) { return Number(/translate\(([-\d.]+)/.exec(group.getAttribute("transform") ?? "")?.[1] ?? 0); }

  function down(group) { return /translate\([-\d.]+[ ,]+([-\d.]+)/.exec(group.getAttribute("transform") ?? "")?.[1] ?? 0; }

  /** Put a group so far to the right of where it was painted. */
  function moved(group, from, by) { group.setAttribute("transform", `translate(${(from + by).toFixed(2)} ${down(group)})`); }

  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  figure.range.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault(); // a whole step for a key, where dragging moves it smoothly
    figure.range.value = Math.round(Number(figure.range.value)) + KEYS[event.key];
    figure.range.dispatchEvent(new Event("input"));
  });

  sliding(figure.range, (unfolded) => {
    const apart = Math.ceil(unfolded - 1e-9); // copies beside the first, the last of which may still be on its way
    columns.forEach((column, t) => {
      const share = Math.min(1, Math.max(0, unfolded - t + 1));
      column.style.opacity = share;
      column.style.display = share > 0 ? "" : "none";
      moved(column, shifts[t], Math.min(0, unfolded - t) * pitch);
      const [time, input] = [written(column, ".time"), written(column, ".edge.data")];
      if (input) input.textContent = t === apart && t < last ? "x" : names[t];
      if (time) time.textContent = t === apart && t < last ? `t = ${t} … ${last}` : `t = ${t}`;
    });
    if (svg) {
      svg.setAttribute("viewBox", `0 0 ${(wide - (last - unfolded) * pitch).toFixed(1)} ${high}`);
      if (loop) moved(loop, start, (unfolded - last) * pitch);
      if (loop) loop.style.opacity = Math.min(1, last - unfolded);
      moved(after, 0, (unfolded - last) * pitch);
    }
    const arrows = Math.floor(unfolded + 1e-9);
    const folded = last - arrows;
    figure.say(told(arrows + 1, spoken(arrows + 1, "cell")), ", ", told(arrows, spoken(arrows, "arrow")), " from one to the next, ",
      folded ? `a loop for the ${spoken(folded, "step")} that ${folded === 1 ? "is" : "are"} still folded, ` : "no loop, ", "one set of weights, W.");
  });

  const unfold = (value) => {
    figure.range.value = value;
    figure.range.dispatchEvent(new Event("input"));
  };
  let seen = figure.range.value;
  addEventListener("beforeprint", () => { // on paper nothing can be dragged
    seen = figure.range.value;
    unfold(last);
  });
  addEventListener("afterprint", () => unfold(seen));
})();
