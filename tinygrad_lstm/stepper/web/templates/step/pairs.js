// data | grad: below the box of a single number, what it is and what has arrived at its gradient. In networks of one unit.

const pairs = {
  /** Whether most of what was computed is a single number. */
  get wanted() {
    if (this.of !== tape) {
      const computed = nodes.filter(({ isLeaf }) => !isLeaf);
      [this.of, this.found] = [tape, computed.filter(({ value }) => value.size === 1).length > computed.length / 2];
    }
    return this.found;
  },

  /** The one number that a box stands for: of several nodes the last, which is what leaves the box. */
  numberOf({ shows }) {
    const last = Math.max(...shows);
    return shows.length <= ONE_LAYER && nodes[last].value.size === 1 ? last : null;
  },

  show(event) {
    document.querySelector(".paired").hidden = !this.wanted;
    if (!this.wanted) return;
    for (const { drawn } of picture.now?.present ?? []) {
      for (const box of drawn.boxes) {
        const number = this.numberOf(box);
        if (number !== null) this.fill(box, nodes[number], event);
      }
    }
  },

  fill(box, node, event) {
    box.pair ??= this.made(box);
    const [value, between, grown] = box.pair.children;
    const digits = box.narrow ? 2 : 3;
    value.textContent = brief(shown(node.value.data[0], digits), box);
    grown.textContent = node.gradient === null ? "" : brief(gradientText(node, event, 0, digits), box);
    between.textContent = grown.textContent && !box.stacked ? " | " : "";
  },

  /** In one line below a wide box, in two below others, which may stand close to each other. */
  made(box) {
    const { x, y, width, height } = (box.drawn.querySelector("path, polygon, ellipse") ?? box.drawn).getBBox();
    [box.narrow, box.stacked] = [width < 45, width < 60];
    const made = label(x + width / 2, y + height, "", "middle");
    made.setAttribute("dy", "1.05em");
    made.setAttribute("class", "pair");
    made.append(make("tspan", {}), make("tspan", {}), make("tspan", { class: "gradient", ...(box.stacked ? { x: x + width / 2, dy: "1.02em" } : {}) }));
    box.drawn.append(made);
    return made;
  },
};

/** A number below a box; below a narrow one without the 0 before the point, since neighbours stand close. */
const brief = (text, { narrow }) => (narrow ? text.replace(/^(−?)0\./u, "$1.") : text);
