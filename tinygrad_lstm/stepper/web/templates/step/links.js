// Links: a symbol of a formula, a box of the picture and a number of a panel are one tensor. Pointing at one lights all.
//
// What is the value of a node says so by data-node, what is its gradient by data-gradient.

const links = {
  lit: [],

  /** Say of the places for numbers in a formula, and of whatever else is given, which node it is of. */
  join({ of }, root) {
    for (const hole of root.querySelectorAll("[data-of]")) {
      const name = hole.dataset.of;
      if (name === "g") hole.dataset.gradient = of.number;
      else hole.dataset.node = name === "y" ? of.number : of.inputs[Number(name)];
    }
  },

  /** The nodes that an element stands for, and whether it is their value, their gradient or either. */
  standsFor(target) {
    const linked = target.closest("[data-node], [data-gradient]");
    if (linked) return "gradient" in linked.dataset ? { numbers: [Number(linked.dataset.gradient)], kind: "gradient" } : { numbers: [Number(linked.dataset.node)], kind: "node" };
    const drawn = target.closest("#picture .node, #picture .edge");
    const found = drawn && this.drawn(({ boxes }) => boxes).find((box) => box.drawn === drawn);
    return found ? { numbers: found.shows, kind: null } : null;
  },

  drawn(which) { return (picture.now?.present ?? []).flatMap(({ drawn }) => which(drawn)); },

  show(target) {
    for (const each of this.lit) each.classList.remove("lit");
    this.lit = [];
    const meant = this.standsFor(target);
    if (!meant) return;
    const { numbers, kind } = meant;
    const kinds = kind ? [kind] : ["node", "gradient"];
    for (const each of document.querySelectorAll("#panels [data-node], #panels [data-gradient]")) {
      if (kinds.some((name) => name in each.dataset && numbers.includes(Number(each.dataset[name])))) this.lit.push(each);
    }
    if (kind) this.lit.push(...this.elementsOf(numbers[0]));
    else if (this.lit.length) this.lit.push(target.closest(".node"));
    for (const each of this.lit) each.classList.add("lit");
  },

  /** What the picture has of a node: its smallest box; of what has none, such as a weight, the arrows from it. */
  elementsOf(number) {
    const boxes = this.drawn((drawn) => drawn.boxes).filter(({ shows }) => shows.includes(number)).sort((a, b) => a.shows.length - b.shows.length);
    if (boxes.length) return [boxes[0].drawn];
    return this.drawn(({ arrows }) => arrows).filter(({ uses }) => uses.some(([x]) => x === number)).map(({ drawn }) => drawn);
  },
};

/** What one points at; else what has the focus. */
const pointed = (target) => links.show(target && links.standsFor(target) ? target : document.activeElement);
document.addEventListener("pointerover", ({ target }) => pointed(target));
document.addEventListener("focusin", ({ target }) => pointed(target));
for (const kind of ["pointerout", "focusout"]) document.addEventListener(kind, ({ relatedTarget }) => relatedTarget || pointed(null));
