// What if: other numbers in a leaf, or a layer held at an end of its range; the network answers at once.
//
// All that was changed is one object, which is kept for undo and stands in the address:
// leaves by id, with numbers by place, a factor and a shift; every weight's factor; and layers, with where they are held.

const NOTHING = { leaves: {}, weights: 1, layers: {} };
const MOST_FIELDS = 48; // so many numbers have a field each; of more one is chosen
const PIXELS = 40; // that a number is dragged by until it is 1 larger

const change = {
  section: document.querySelector("#change"),
  button: document.querySelector("#what-if"),
  now: structuredClone(NOTHING),
  past: [],
  before: network.values[network.output],
  leaves: nodes.filter((node) => node.op === null && node.name && node.value.size && !layerNodes().has(node.at)),

  get isOpen() { return !this.section.hidden; },

  get isNothing() { return JSON.stringify(this.now) === JSON.stringify(NOTHING); },

  toggle(open = this.section.hidden) {
    this.section.hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    if (open) {
      this.fill();
      document.querySelector("#panels").scrollTop = 0;
    }
  },

  /** Begin a change that undo takes back: several moves of one slider are one. */
  begin(what) {
    if (what === null || this.moving !== what) this.past.push(structuredClone(this.now));
    this.moving = what;
  },

  undo() {
    if (!this.past.length) return;
    this.now = this.past.pop();
    this.moving = null;
    this.apply();
    this.fill();
  },

  reset() {
    if (this.isNothing) return;
    this.begin(null);
    this.now = structuredClone(NOTHING);
    this.apply();
    this.fill();
  },

  /** Give the network what was changed, and show what it makes of it. */
  apply() {
    network.changed.clear();
    for (const node of this.leaves) {
      const array = this.changed(node);
      if (array) network.set(node.at, array);
    }
    for (const [which, end] of Object.entries(this.now.layers)) {
      const { range, at } = tape.layers[which];
      for (const number of at) {
        const held = new NumArray(network.nodes[number].shape);
        held.data.fill(range[end]);
        network.set(number, held);
      }
    }
    network.plan();
    network.compute();
    strip.draw();
    picture.measure();
    show({ hurry: true });
    this.answer();
  },

  /** The numbers of a leaf after all changes; null where there are none. */
  changed(node) {
    const { numbers = {}, by = 1, plus = 0 } = this.now.leaves[node.id] ?? {};
    const factor = by * (isWeight(node) ? this.now.weights : 1);
    if (!Object.keys(numbers).length && factor === 1 && plus === 0) return null;
    const array = network.nodes[node.at].given.copy();
    for (const [place, number] of Object.entries(numbers)) array.data[place] = number;
    return mapped((x) => x * factor + plus, array);
  },

  answer() {
    const loss = network.values[network.output];
    const what = named(nodes.find(({ at }) => at === network.output));
    const same = this.isNothing;
    const unknown = !same && network.stale.has(network.output);
    const answer = unknown ? "not known here" : asText(loss, 5);
    this.section.querySelector(".answer").replaceChildren(
      element("span", { className: "quiet", textContent: `${what} = ` }), asText(this.before, 5),
      ...(same ? [] : [" → ", element("b", { textContent: answer })]));
    const doubtful = same ? 0 : new Set([...network.stale, ...network.staleGradients]).size;
    document.querySelector("#unread").textContent = doubtful
      ? `${Object.keys(tape.network.unread).join(", ")} could not be read, so ${doubtful} tensors or gradients keep the numbers of the run, or what follows from them.` : "";
    for (const name of ["undo", "reset"]) this.section.querySelector(`.${name}`).disabled = name === "undo" ? !this.past.length : same;
    this.button.classList.toggle("changed", !same);
    document.body.classList.toggle("changed", !same);
  },

  // The controls

  build() {
    if (!this.leaves.length && !tape.layers.length) {
      this.button.hidden = true;
      return;
    }
    const select = this.section.querySelector("select");
    const groups = [["given", ({ at }) => !network.nodes[at].learns], ["learned", ({ at }) => network.nodes[at].learns]];
    for (const [label, belongs] of groups) {
      const options = this.leaves.filter(belongs).map((node) => element("option", { value: node.id, textContent: `${this.label(node)}  ${shapeText(node.value.shape)}` }));
      if (options.length) select.append(element("optgroup", { label }, ...options));
    }
    if (this.leaves.filter(isWeight).length > 1) select.append(element("option", { value: "", textContent: "every weight matrix" }));
    const first = this.leaves.find(({ at }) => !network.nodes[at].learns) ?? this.leaves[0];
    if (first) select.value = first.id;
    select.addEventListener("change", () => this.fill());
    this.section.querySelector(".layers").append(...tape.layers.map((layer, which) => this.layerField(layer, which)));
    this.section.querySelector(".undo").addEventListener("click", () => this.undo());
    this.section.querySelector(".reset").addEventListener("click", () => this.reset());
    this.section.querySelector(".copy").addEventListener("click", () => this.copyLink());
    this.button.addEventListener("click", () => this.toggle());
    for (const [name, least, most, step] of [["by", 0, 3, 0.05], ["plus", -5, 5, 0.1]]) {
      const range = this.section.querySelector(`.${name} input`);
      Object.assign(range, { min: least, max: most, step });
      range.addEventListener("input", () => this.slide(name, Number(range.value)));
      range.addEventListener("change", () => { this.moving = null; });
    }
    this.answer();
  },

  /** What a leaf is called; where several are, with the module that uses it. */
  label(node) {
    const alike = this.leaves.filter((each) => named(each) === named(node));
    const user = nodes.find(({ inputs }) => inputs.includes(node.number));
    return alike.length > 1 && user?.scope.length ? `${named(node)} of ${user.scope.join(".")}` : named(node);
  },

  get chosen() { return this.leaves.find(({ id }) => id === this.section.querySelector("select").value) ?? null; },

  /** One layer: as it computes, or held at an end. */
  layerField({ cell, symbol, words, range }, which) {
    const choice = (label, end) => {
      const input = element("input", { type: "radio", name: `layer${which}`, value: String(end), checked: end === null });
      input.addEventListener("change", () => {
        this.begin(null);
        if (end === null) delete this.now.layers[which];
        else this.now.layers[which] = end;
        this.apply();
      });
      return element("label", {}, input, label);
    };
    return element("fieldset", {}, element("legend", {}, element("b", { textContent: symbol }), ` ${[words, cell].filter(Boolean).join(", ")}`),
      choice("computed", null), ...range.map((end, i) => choice(`held at ${shown(end)}`, i)));
  },

  /** Show the numbers of the leaf that was chosen, and where the sliders stand. */
  fill() {
    const node = this.chosen;
    const { by = 1, plus = 0 } = node ? this.now.leaves[node.id] ?? {} : { by: this.now.weights };
    for (const [name, value] of [["by", by], ["plus", plus]]) {
      this.section.querySelector(`.${name} input`).value = String(value);
      this.section.querySelector(`.${name} output`).textContent = shown(value, 3);
    }
    this.section.querySelector(".plus").hidden = node === null;
    this.section.querySelector(".fields").replaceChildren(...(node ? this.fields(node) : []));
    tape.layers.forEach((_, which) => {
      const end = this.now.layers[which] ?? null;
      for (const input of this.section.querySelectorAll(`[name="layer${which}"]`)) input.checked = input.value === String(end);
    });
    this.answer();
  },

  fields(node) {
    const { shape, data } = node.value;
    const columns = shape.length ? shape.at(-1) : 1;
    const index = (place) => (shape.length ? `[${stridesOf(shape).map((step, axis) => Math.floor(place / step) % shape[axis]).join(", ")}]` : "");
    if (data.length <= MOST_FIELDS) {
      const rows = Array.from({ length: data.length / columns }, (_, i) => element("div", { className: "row" },
        ...(data.length > columns ? [element("small", { textContent: index(i * columns).replace(/, \d+\]$/, "]") })] : []),
        ...Array.from({ length: columns }, (_, j) => this.field(node, i * columns + j, index(i * columns + j)))));
      return rows;
    }
    const which = element("input", { type: "number", min: 0, max: data.length - 1, value: 0, ariaLabel: `which of ${data.length} numbers` });
    const place = element("output", { textContent: index(0) });
    const holder = element("span", {}, this.field(node, 0, index(0)));
    which.addEventListener("input", () => {
      const at = Math.min(Math.max(Math.trunc(Number(which.value)) || 0, 0), data.length - 1);
      place.textContent = index(at);
      holder.replaceChildren(this.field(node, at, index(at)));
    });
    return [element("div", { className: "row" }, which, place, holder), arrayView(node.value)];
  },

  /** A number to type, to step with the arrows, or to drag. */
  field(node, place, index) {
    const input = element("input", { type: "number", step: "0.1", value: String(Number(node.value.data[place].toPrecision(4))), ariaLabel: `${named(node)}${index}` });
    const give = (number) => {
      const at = (this.now.leaves[node.id] ??= {});
      if (at.by === 0) { // all were the shift; now they are numbers, and this one another
        at.numbers = Object.fromEntries(Array.from(node.value.data, (x, i) => [i, x]));
        Object.assign(at, { by: 1, plus: 0 });
      }
      const { by = 1, plus = 0 } = at;
      (at.numbers ??= {})[place] = (number - plus) / (by * (isWeight(node) ? this.now.weights || 1 : 1));
      this.apply();
    };
    input.addEventListener("input", () => {
      if (input.value.trim() === "" || !Number.isFinite(Number(input.value))) return;
      this.begin(input);
      give(Number(input.value));
    });
    input.addEventListener("change", () => {
      this.moving = null;
      input.value = String(Number(node.value.data[place].toPrecision(4))); // what is in force, also where nothing was typed
    });
    input.addEventListener("pointerdown", ({ clientX, pointerId }) => {
      const begun = Number(input.value);
      const drag = (move) => {
        if (!input.dragged && Math.abs(move.clientX - clientX) < 4) return;
        input.dragged = true;
        if (!input.hasPointerCapture(pointerId)) input.setPointerCapture(pointerId);
        const number = Number((begun + (move.clientX - clientX) / PIXELS).toFixed(3));
        input.value = String(number);
        this.begin(input);
        give(number);
      };
      const drop = () => {
        input.removeEventListener("pointermove", drag);
        input.dragged = false;
        this.moving = null;
      };
      input.addEventListener("pointermove", drag);
      for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, drop, { once: true });
    });
    return input;
  },

  slide(name, value) {
    const node = this.chosen;
    this.begin(name);
    if (node) (this.now.leaves[node.id] ??= {})[name] = value;
    else this.now.weights = value;
    this.section.querySelector(`.${name} output`).textContent = shown(value, 3);
    this.apply();
    if (node) this.section.querySelector(".fields").replaceChildren(...this.fields(node));
  },

  async copyLink() {
    const said = this.section.querySelector(".copied");
    if (location.protocol === "about:") {
      said.textContent = "this page has no address of its own: stepper.page(\"step.html\") writes one that has";
      return;
    }
    remember(walk.event, 0);
    try {
      await navigator.clipboard.writeText(address(walk.event));
      said.textContent = "copied";
    } catch {
      said.textContent = "this browser does not let pages copy; the address above is the link";
    }
  },

  /** What stands in the address, empty for nothing. */
  get inAddress() { return this.isNothing ? "" : `&change=${encodeURIComponent(JSON.stringify(this.now))}`; },

  /** Tell whether something from an address is a change that can be made here. */
  fits(asked) {
    const isNumber = (x) => typeof x === "number" && Number.isFinite(x);
    const isObject = (x) => typeof x === "object" && x !== null && !Array.isArray(x);
    if (!isObject(asked) || Object.keys(asked).some((key) => !Object.hasOwn(NOTHING, key))) return false;
    const { leaves = {}, weights = 1, layers = {} } = asked;
    if (!isObject(leaves) || !isNumber(weights) || !isObject(layers)) return false;
    const fitsLeaf = ([id, one]) => {
      const node = this.leaves.find((each) => each.id === id);
      if (!node || !isObject(one)) return false;
      const { numbers = {}, by = 1, plus = 0 } = one;
      return isNumber(by) && isNumber(plus) && isObject(numbers)
        && Object.entries(numbers).every(([place, x]) => /^\d+$/.test(place) && Number(place) < node.value.size && isNumber(x));
    };
    return Object.entries(leaves).every(fitsLeaf)
      && Object.entries(layers).every(([which, end]) => /^\d+$/.test(which) && Number(which) < tape.layers.length && (end === 0 || end === 1));
  },

  /** Take over what an address says. What is not about this page is refused. */
  take(text) {
    let asked;
    try {
      asked = text ? JSON.parse(text) : {};
    } catch {
      throw new Refused("the address does not say what to change");
    }
    if (!this.fits(asked)) throw new Refused("the address changes what is not on this page");
    asked = { ...structuredClone(NOTHING), ...asked };
    if (JSON.stringify(asked) === JSON.stringify(this.now)) return;
    this.begin(null);
    this.now = asked;
    this.apply();
    this.fill();
  },
};

/** What a layer computes is changed by holding it, not by typing. */
function layerNodes() { return new Set(tape.layers.flatMap(({ at }) => at)); }

const isWeight = ({ at, value }) => Boolean(network.nodes[at].learns) && value.shape.length > 1;

/** The layers of the first cell, with what each does, in the order of its equations. */
document.querySelector(".roles").textContent = tape.layers.filter(({ cell }) => cell === tape.layers[0].cell)
  .map(({ symbol, words }) => `${symbol} ${words}`).join(" · ");

change.build();
