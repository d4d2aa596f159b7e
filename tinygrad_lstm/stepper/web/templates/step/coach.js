// First sight: three hints, each in the flow of the page beside what it is about, so that none covers anything.

const HINTS = ["picture", "begin", "sum"];
const KEPT = "tinygrad_lstm: hints that were put away";

/** What was put away before, where a page may keep anything; else nothing was. */
function keptAway() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(kept) ? kept.filter((name) => HINTS.includes(name)) : [];
  } catch {
    return [];
  }
}

function keepAway(names) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(names));
  } catch { /* put away until the page is opened again */ }
}

const coach = {
  away: new Set(keptAway()),
  hints: Object.fromEntries(HINTS.map((name) => [name, document.querySelector(`[data-hint="${name}"]`)])),

  get left() { return HINTS.filter((name) => !this.away.has(name)); },

  /** Have those in the page that are left: they take room, so the picture is fitted anew. */
  show() {
    const { left } = this;
    for (const [name, hint] of Object.entries(this.hints)) hint.hidden = !left.includes(name);
    document.body.dataset.next = left[0] ?? "";
    for (const name of left) this.hints[name].querySelector(".all-away").hidden = name !== left[0] || left.length < 2;
    picture.fit();
  },

  /** Once the button was used only the sum, which comes now, still needs a hint. */
  follow({ phase }) {
    document.body.classList.toggle("walking", phase === "backward");
    if (phase === "backward") this.putAway("picture", "begin");
  },

  putAway(...names) {
    const before = this.away.size;
    for (const name of names) this.away.add(name);
    if (this.away.size === before) return;
    keepAway([...this.away]);
    const within = names.find((name) => this.hints[name].contains(document.activeElement));
    this.show();
    if (within) (this.left.length ? this.hints[this.left[0]].querySelector(".put-away") : picture.box).focus();
  },

  /** The hint that has the focus is put away, else the first one that is left; tell whether there was one. */
  escape() {
    const name = this.left.find((each) => this.hints[each].contains(document.activeElement)) ?? this.left[0];
    if (name) this.putAway(name);
  },

  /** All of them again. */
  again() {
    this.away.clear();
    keepAway([]);
    this.show();
    this.hints[HINTS[0]].querySelector(".put-away").focus();
  },

  build() {
    for (const [name, hint] of Object.entries(this.hints)) {
      hint.querySelector(".put-away").addEventListener("click", () => this.putAway(name));
      hint.querySelector(".all-away").addEventListener("click", () => this.putAway(...HINTS));
    }
    this.show();
  },
};
