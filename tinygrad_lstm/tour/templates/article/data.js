// What the figures are made of: the networks that learned the text, as they are now, and numbers as one writes them.

const given = JSON.parse(document.querySelector("#data").textContent);

/** A network that has read the words: its state, its layers and its gradients at each of them. */
class Read {
  constructor({ network, ...told }) {
    Object.assign(this, told);
    this.network = new Network(network, (number) => unpacked(network.leaves[number]));
    this.apart = this.network.disagreement(network.answers);
  }

  get loss() { return this.network.values[this.network.output].data[0]; }

  get probability() { return Math.exp(-this.loss); }

  /** What the belt holds after each word: T arrays of H numbers. */
  get states() { return this.at.map((number) => this.network.values[number].data); }

  /** ‖∂L/∂state‖ after each word. */
  get felt() { return this.at.map((number) => norm(this.network.gradients.get(number)?.data ?? [])); }

  /** How much of the state is another after each word but the first. */
  get changes() {
    const { states } = this;
    return states.slice(1).map((state, t) => norm(state.map((x, i) => x - states[t][i])) / norm(states[t]));
  }

  /** A layer at each word: T arrays of H numbers. */
  values(layer) { return layer.at.map((number) => this.network.values[number].data); }

  /** Its mean at each word. */
  openings(layer) { return this.values(layer).map(mean); }
}

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

const gated = new Read(given.gated);
const plain = new Read(given.plain);
const { words } = given;
const T = words.length;

/** After how many steps back less than a little is left of what the last step feels; null if more is left everywhere. */
function forgottenAfter(felt) {
  const back = felt.toReversed().findIndex((x) => x < given.little * felt.at(-1));
  return back < 0 ? null : back;
}

const MINUS = "−";

/** A number with so many digits, as Python's %.3g writes it. */
function shown(number, digits = 3) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : `${MINUS}∞`;
  return String(Number(number.toPrecision(digits))).replaceAll("-", MINUS);
}

const percent = (share) => (share > 0 && share < 1e-4 ? "under 0.01 %" : `${share >= 0.095 ? (100 * share).toFixed(0) : shown(100 * share, 2)} %`);

/** An element of the page, with its children; text is text. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A number that is told: what a person reads, and exactly. */
const told = (number, text = shown(number)) => element("data", { className: "number", value: String(number) }, text);

const word = (text) => element("bdi", { className: "token" }, text);

/** The parts of a figure by what they are for. */
function figureOf(id) {
  const root = document.querySelector(`#fig-${id}`);
  if (!root) return null;
  return {
    root,
    range: root.querySelector("input[type=range]"),
    output: root.querySelector("output"),
    plot: root.querySelector(".plot"),
    say(...parts) { root.querySelector("figcaption").replaceChildren(...parts); },
  };
}

const figures = [];

/** Show a figure now, and again when there is more or less room for it. */
function showing(show) {
  figures.push(show);
  show();
}

/** Call show() with the slider's number now and whenever it is moved; what stands beside it is read aloud with it. */
function sliding(range, show) {
  const now = () => {
    show(Number(range.value));
    const beside = range.closest("label").querySelector("output")?.textContent;
    if (beside) range.setAttribute("aria-valuetext", beside);
  };
  range.addEventListener("input", now);
  showing(now);
}

const spoken = (count, of) => `${count} ${of}${count === 1 ? "" : "s"}`;
