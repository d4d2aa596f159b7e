// The map: of a picture that is wider than its window, where the window is, and how far the walk has come.

const minimap = { // whether it is there is for the picture to say, when it is fitted
  frame: document.querySelector("#map"),
  window: document.querySelector("#map .window"),

  show(event) {
    if (!picture.view || this.frame.hidden) return;
    const { box, now, scale } = picture;
    if (this.told?.every((each, i) => each === [event, now, scale][i])) return; // nothing is measured where nothing moved
    this.told = [event, now, scale];
    const share = (x) => `${(100 * x) / now.width}%`;
    const [left, wide] = [box.scrollLeft / scale, box.clientWidth / scale];
    this.window.style.left = share(left);
    this.window.style.width = share(Math.min(wide, now.width - left));
    const column = now.boxOf.get(event.node)?.column;
    if (column) this.frame.querySelector(".here").style.left = share((column.left + column.right) / 2);
    this.mark();
  },

  /** The time steps, as many as there is room for. */
  mark() {
    const { now } = picture;
    if (this.marked === now && this.room === this.frame.clientWidth) return;
    [this.marked, this.room] = [now, this.frame.clientWidth];
    const middles = new Map();
    for (const [number, { column }] of now.boxOf) if (tape.times[number] !== null) middles.set(tape.times[number], (column.left + column.right) / 2);
    let last = -Infinity;
    const ticks = [...middles].sort((a, b) => a[1] - b[1]).flatMap(([time, x]) => {
      const at = (x / now.width) * this.room;
      if (at - last < 34) return [];
      last = at;
      const tick = element("span", { className: "tick", textContent: `t${time}` });
      tick.style.left = `${(100 * x) / now.width}%`;
      return [tick];
    });
    this.frame.querySelector(".ticks").replaceChildren(...ticks);
  },

  /** Have the middle of the window where one points. */
  goTo({ clientX }) {
    const { left, width } = this.frame.getBoundingClientRect();
    const { box, now, scale } = picture;
    box.scrollTo({ left: ((clientX - left) / width) * now.width * scale - box.clientWidth / 2, behavior: "instant" });
  },
};

minimap.frame.addEventListener("pointerdown", (press) => {
  minimap.frame.setPointerCapture(press.pointerId);
  minimap.goTo(press);
});
minimap.frame.addEventListener("pointermove", (move) => minimap.frame.hasPointerCapture(move.pointerId) && minimap.goTo(move));
picture.box.addEventListener("scroll", () => requestAnimationFrame(() => {
  minimap.told = null;
  if (events.length) minimap.show(walk.event);
}), { passive: true });
