// What if: the controls of what one can change, and the answer beside them.

const MOST_FIELDS = 48; // so many numbers have a field each; of more one is chosen
const PIXELS = 40; // that a number is dragged by until it is 1 larger

const whatIf = {
  section: document.querySelector("#change"),
  button: document.querySelector("#what-if"),

  toggle(open = this.section.hidden) {
    this.section.hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    if (open) {
      this.fill();
      document.querySelector("#panels").scrollTop = 0;
      this.section.scrollIntoView({ block: "nearest" }); // on a phone it is far down
    }
  },

  /** Show what the network makes of a change, everywhere. */
  show() {
    strip.draw();
    picture.measure();
    tanks.measure();
    show({ hurry: true });
    this.answer();
  },

  answer() {
    const loss = network.values[network.output];
    const what = named(nodes[network.output]);
    const same = change.isNothing;
    const unknown = !same && network.stale.has(network.output);
    const answer = unknown ? "not known here" : asText(loss, 5);
    this.section.querySelector(".answer").replaceChildren(
      element("span", { className: "quiet", textContent: `${what} = ` }), asText(change.before, 5),
      ...(same ? [] : [" → ", element("b", { textContent: answer })]));
    if (change.now.from !== null) this.section.querySelector(".answer").append(` · the error of step ${change.now.from} alone is sent back`);
    const doubtful = same ? 0 : new Set([...network.stale, ...network.staleGradients]).size;
    document.querySelector("#unread").textContent = doubtful
      ? `${Object.keys(tape.network.unread).join(", ")} could not be read, so ${doubtful} tensors or gradients keep the numbers of the run, or what follows from them.` : "";
    const idle = { undo: !change.past.length, redo: !change.undone.length, reset: same };
    for (const [name, disabled] of Object.entries(idle)) this.section.querySelector(`.${name}`).disabled = disabled;
    this.button.classList.toggle("changed", !same);
    document.body.classList.toggle("changed", !same);
  },

  /** Offer what the network that is looked at has. */
  offer() {
    this.button.hidden = !change.leaves.length && !tape.layers.length;
    const select = this.section.querySelector(".which select");
    const before = select.value;
    select.replaceChildren();
    const groups = [["given", ({ number }) => !network.nodes[number].learns], ["learned", ({ number }) => network.nodes[number].learns]];
    for (const [label, belongs] of groups) {
      const options = change.leaves.filter(belongs).map((node) => element("option", { value: node.id, textContent: `${this.label(node)}  ${shapeText(node.value.shape)}` }));
      if (options.length) select.append(element("optgroup", { label }, ...options));
    }
    if (change.leaves.filter(isWeight).length > 1) select.append(element("option", { value: "", textContent: "every weight matrix" }));
    const first = change.leaves.find(({ number }) => !network.nodes[number].learns) ?? change.leaves[0];
    if (first) select.value = change.leaves.some(({ id }) => id === before) ? before : first.id;
    this.section.querySelector(".layers").replaceChildren(...tape.layers.map((layer, which) => this.layerField(layer, which)));
    document.querySelector(".roles").textContent = tape.layers.filter(({ cell }) => cell === tape.layers[0].cell)
      .map(({ symbol, words }) => `${symbol} ${words}`).join(" · ");
    this.offerSteps();
  },

  /** Other numbers of steps and other cells, where Python wrote those too; and the step whose error is sent back. */
  offerSteps() {
    const [cells, lengths, from] = ["cells", "lengths", "from"].map((name) => this.section.querySelector(`.${name}`));
    cells.hidden = Object.keys(page.cells).length < 2;
    for (const input of cells.querySelectorAll("input")) input.checked = input.value === tape.cell;
    lengths.hidden = !page.longest;
    for (const input of lengths.querySelectorAll("input")) input.value = String(tape.steps);
    lengths.querySelector(".added").textContent = tape.steps > page.steps && tape.cell === page.cell
      ? `Steps from ${page.steps} on are new: they repeat the last input, until it is given other numbers.` : "";
    const read = tape.readings;
    from.hidden = !read;
    if (!read) return;
    const choice = from.querySelector("select");
    choice.replaceChildren(element("option", { value: "", textContent: "every step" }),
      ...read.times.map((time) => element("option", { value: String(time), textContent: `step ${time} alone` })));
    choice.value = change.now.from === null ? "" : String(change.now.from);
  },

  build() {
    this.section.querySelector(".which select").addEventListener("change", () => this.fill());
    this.section.querySelector(".cells").append(...Object.keys(page.cells).map((cell) => {
      const input = element("input", { type: "radio", name: "cell", value: cell });
      input.addEventListener("change", () => this.set({ cell: cell === page.cell ? null : cell, layers: {} }));
      return element("label", {}, input, cell.toUpperCase());
    }));
    for (const input of this.section.querySelectorAll(".lengths input")) {
      input.max = String(page.longest);
      input.addEventListener("input", () => {
        const steps = Number(input.value);
        if (!Number.isInteger(steps) || steps < 1 || steps > page.longest) return;
        this.set({ steps: steps === page.steps ? null : steps, from: null }, input);
      });
      input.addEventListener("change", () => { // what is no number of steps becomes the nearest that is
        const steps = Math.min(Math.max(Math.round(Number(input.value)) || 1, 1), page.longest);
        if (String(steps) !== input.value) this.set({ steps: steps === page.steps ? null : steps, from: null }, input);
        change.moving = null;
      });
    }
    this.section.querySelector(".from select").addEventListener("change", ({ target }) => this.set({ from: target.value === "" ? null : Number(target.value) }));
    for (const name of ["undo", "redo", "reset"]) this.section.querySelector(`.${name}`).addEventListener("click", () => change[name]());
    this.section.querySelector(".copy").addEventListener("click", () => this.copyLink());
    this.button.addEventListener("click", () => this.toggle());
    for (const [name, least, most, step] of [["by", 0, 3, 0.05], ["plus", -5, 5, 0.1]]) {
      const range = this.section.querySelector(`.${name} input`);
      Object.assign(range, { min: least, max: most, step });
      range.addEventListener("input", () => this.slide(name, Number(range.value)));
      range.addEventListener("change", () => { change.moving = null; });
    }
  },

  /** Change what is no number: the cell, the number of steps, the step whose error is sent back. */
  set(what, moving = null) {
    change.begin(moving);
    Object.assign(change.now, what);
    change.apply();
    this.fill();
  },

  /** What a leaf is called; where several are, with the module that uses it. */
  label(node) {
    const alike = change.leaves.filter((each) => named(each) === named(node));
    const user = nodes.find(({ inputs }) => inputs.includes(node.number));
    return alike.length > 1 && user?.scope.length ? `${named(node)} of ${user.scope.join(".")}` : named(node);
  },

  get chosen() { return change.leaves.find(({ id }) => id === this.section.querySelector(".which select").value) ?? null; },

  /** One layer: as it computes, or held at an end. */
  layerField({ cell, symbol, words, range }, which) {
    const choice = (label, end) => {
      const input = element("input", { type: "radio", name: `layer${which}`, value: String(end), checked: end === (change.now.layers[which] ?? null) });
      input.addEventListener("change", () => {
        change.begin(null);
        if (end === null) delete change.now.layers[which];
        else change.now.layers[which] = end;
        change.apply();
      });
      return element("label", {}, input, label);
    };
    return element("fieldset", {}, element("legend", {}, element("b", { textContent: symbol }), ` ${[words, cell].filter(Boolean).join(", ")}`),
      choice("computed", null), ...range.map((end, i) => choice(`held at ${shown(end)}`, i)));
  },

  /** Show the numbers of the leaf that was chosen, and where the sliders stand. */
  fill() {
    const node = this.chosen;
    const { by, plus } = node ? change.done(node) : { by: change.now.weights, plus: 0 };
    for (const [name, value] of [["by", by], ["plus", plus]]) {
      this.section.querySelector(`.${name} input`).value = String(value);
      this.section.querySelector(`.${name} output`).textContent = shown(value, 3);
    }
    this.section.querySelector(".plus").hidden = node === null;
    this.section.querySelector(".fields").replaceChildren(...(node ? this.fields(node) : []));
    tape.layers.forEach((_, which) => {
      const end = change.now.layers[which] ?? null;
      for (const input of this.section.querySelectorAll(`[name="layer${which}"]`)) input.checked = input.value === String(end);
    });
    this.answer();
  },

  fields(node) {
    const { shape, data } = node.value;
    const columns = shape.length ? shape.at(-1) : 1;
    const index = (place, axes = shape.length) => (axes ? `[${stridesOf(shape).slice(0, axes).map((step, axis) => Math.floor(place / step) % shape[axis]).join(", ")}]` : "");
    if (data.length <= MOST_FIELDS) {
      return Array.from({ length: data.length / columns }, (_, i) => element("div", { className: "row" },
        ...(data.length > columns ? [element("small", { textContent: index(i * columns, shape.length - 1) })] : []),
        ...Array.from({ length: columns }, (_, j) => this.field(node, i * columns + j, index(i * columns + j)))));
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
    const inForce = () => String(Number(node.value.data[place].toPrecision(4)));
    const input = element("input", { type: "number", step: "0.1", value: inForce(), ariaLabel: `${named(node)}${index}` });
    input.addEventListener("input", () => {
      say(input.validity.badInput ? "not a number that can be read here; one is written like 1.5 or −2e-3" : "");
      if (input.value.trim() === "" || !Number.isFinite(Number(input.value))) return;
      change.begin(input);
      change.putNumber(node, place, Number(input.value));
    });
    input.addEventListener("change", () => {
      change.moving = null;
      input.value = inForce(); // also where nothing was typed
    });
    input.addEventListener("pointerdown", ({ clientX, pointerId }) => {
      const begun = Number(input.value);
      const drag = (move) => {
        if (!input.dragged && Math.abs(move.clientX - clientX) < 4) return;
        input.dragged = true;
        if (!input.hasPointerCapture(pointerId)) input.setPointerCapture(pointerId);
        const number = Number((begun + (move.clientX - clientX) / PIXELS).toFixed(3));
        input.value = String(number);
        change.begin(input);
        change.putNumber(node, place, number);
      };
      const drop = () => {
        input.removeEventListener("pointermove", drag);
        input.dragged = false;
        change.moving = null;
      };
      input.addEventListener("pointermove", drag);
      for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, drop, { once: true });
    });
    return input;
  },

  slide(name, value) {
    const node = this.chosen;
    change.begin(name);
    change.put(node, name, value);
    this.section.querySelector(`.${name} output`).textContent = shown(value, 3);
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
};

whatIf.build();
