// What was changed: other numbers in a leaf, or a layer held at an end of its range; and what the network makes of it.
//
// All of it is one object, which is kept for undo and redo and stands in the address (address.js): leaves by id, with numbers by place, a factor
// and a shift; every weight's factor; layers, with where they are held; the cell, the number of steps, and the step
// whose error alone is sent back: null where they are as Python wrote them.

const NOTHING = { leaves: {}, weights: 1, layers: {}, cell: null, steps: null, from: null };

const isWeight = ({ number, value }) => Boolean(network.nodes[number].learns) && value.shape.length > 1;

const change = {
  now: structuredClone(NOTHING),
  past: [],
  undone: [],

  /** The loss as Python computed it. */
  get before() { return unpacked(page.cells[page.cell].answers.loss); },

  /** What can be given other numbers; what a layer computes is changed by holding it. */
  get leaves() {
    if (this.of !== tape) [this.of, this.found] = [tape, this.named()];
    return this.found;
  },

  named() {
    const ofLayers = new Set(tape.layers.flatMap(({ at }) => at));
    return nodes.filter((node) => node.isLeaf && node.name && node.value.size && !ofLayers.has(node.number));
  },

  get isNothing() { return JSON.stringify(this.now) === JSON.stringify(NOTHING); },

  /** Begin a change that undo takes back: several moves of one slider are one. */
  begin(what) {
    if (what === null || this.moving !== what) this.past.push(structuredClone(this.now));
    this.moving = what;
    this.undone = [];
  },

  undo() { this.exchange(this.past, this.undone); },

  redo() { this.exchange(this.undone, this.past); },

  /** Become what one list ends with; what is now goes to the other. */
  exchange(from, to) {
    if (!from.length) return;
    to.push(structuredClone(this.now));
    this.become(from.pop());
  },

  reset() {
    if (this.isNothing) return;
    this.begin(null);
    this.become(structuredClone(NOTHING));
  },

  become(other) {
    this.now = other;
    this.moving = null;
    this.apply();
    whatIf.fill();
  },

  /** Give the network what was changed, and show what it makes of it. */
  apply() {
    const [cell, steps] = [this.now.cell ?? page.cell, this.now.steps ?? page.steps];
    if (cell !== tape.cell || steps !== tape.steps) lookAt(cell, steps);
    network.changed.clear();
    for (const node of this.leaves) {
      const array = this.changed(node);
      if (array) network.set(node.number, array);
    }
    network.cut.clear();
    for (const { node, slot, target } of this.now.from === null ? [] : tape.readings?.uses ?? []) {
      if (tape.times[target] !== this.now.from) network.cut.add(`${node}/${slot}`);
    }
    for (const [which, end] of Object.entries(this.now.layers)) {
      if (!tape.layers[which]) continue; // of another cell
      const { range, at } = tape.layers[which];
      for (const number of at) {
        const held = new NumArray(network.nodes[number].shape);
        held.data.fill(range[end]);
        network.set(number, held);
      }
    }
    network.compute();
    whatIf.show();
  },

  /** What was done to a leaf: numbers by place, then a factor and a shift. */
  done({ id }) { return { numbers: {}, by: 1, plus: 0, ...this.now.leaves[id] }; },

  /** What every weight matrix is multiplied by; 1 of another leaf. */
  scale(node) { return isWeight(node) ? this.now.weights : 1; },

  /** Give one number of a leaf, or the factor or shift of all of them; of no leaf, the factor of every weight. */
  put(node, name, value) {
    if (node) (this.now.leaves[node.id] ??= {})[name] = value;
    else this.now.weights = value;
    this.apply();
  },

  putNumber(node, place, number) {
    let { numbers, by, plus } = this.done(node);
    if (by === 0) { // all were the shift; now they are numbers, and this one another
      numbers = Object.fromEntries(Array.from(node.value.data, (x, i) => [i, x]));
      [by, plus] = [1, 0];
    }
    this.now.leaves[node.id] = { numbers: { ...numbers, [place]: (number - plus) / (by * (this.scale(node) || 1)) }, by, plus };
    this.apply();
  },

  /** The numbers of a leaf after all changes; null where there are none. */
  changed(node) {
    const { numbers, by, plus } = this.done(node);
    const factor = by * this.scale(node);
    if (!Object.keys(numbers).length && factor === 1 && plus === 0) return null;
    const array = network.nodes[node.number].given.copy();
    for (const [place, number] of Object.entries(numbers)) if (place < array.size) array.data[place] = number;
    return mapped((x) => x * factor + plus, array);
  },
};
