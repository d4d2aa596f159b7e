// Terms: words of the field, each explained by Python in a sentence, where it stands first: on hover, on focus, at a tap.

const terms = {
  meaning: document.querySelector("#meaning"),
  word: null, // the one whose meaning is shown
  pattern: new RegExp(`(?<![\\p{L}\\p{N}_.])(${Object.keys(page.terms).join("|")})(s?)(?![\\p{L}\\p{N}_])`, "iu"),

  /** What is read for terms: lines of prose and headings, no numbers. */
  where: [...["h2", "h3", "p", "dt"].map((line) => `#panels section:not([hidden], #change, #stops) ${line}`), "#strip:not([hidden]) h2", "#narration"].join(),

  of(text) { return Object.keys(page.terms).find((term) => [term, `${term}s`].includes(text.toLowerCase())); },

  /** Mark each term where it stands first: once on the page, so that tab does not stop at every word. */
  explain() {
    const seen = new Set();
    const lines = [...document.querySelectorAll(this.where)].filter((line) => {
      const known = [...line.querySelectorAll(".term")];
      for (const { dataset } of known) seen.add(dataset.term);
      return !known.length;
    });
    for (const line of lines) {
      for (const text of [...line.childNodes]) if (text.nodeType === Node.TEXT_NODE) this.mark(text, seen);
    }
  },

  mark(text, seen) {
    const found = this.pattern.exec(text.data);
    const term = found && this.of(found[0]);
    if (!term || seen.has(term)) return;
    seen.add(term);
    const word = text.splitText(found.index);
    const rest = word.splitText(found[0].length);
    const marked = element("dfn", { className: "term", tabIndex: 0, textContent: word.data });
    marked.dataset.term = term;
    word.replaceWith(marked);
    this.mark(rest, seen);
  },

  show(word) {
    if (word === this.word) return;
    this.word?.removeAttribute("aria-describedby");
    this.word = word;
    this.meaning.hidden = word === null;
    if (word === null) return;
    word.setAttribute("aria-describedby", "meaning");
    this.meaning.textContent = page.terms[word.dataset.term];
    this.place(word);
  },

  /** The meaning stands below its word, or above where there is no room. */
  place(word) {
    const { left, top, bottom } = word.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.meaning;
    this.meaning.style.left = `${Math.max(4, Math.min(left, innerWidth - offsetWidth - 8))}px`;
    this.meaning.style.top = `${bottom + 4 + offsetHeight < innerHeight ? bottom + 4 : top - offsetHeight - 4}px`;
  },

  /** All of them, for the help. */
  list() {
    const list = element("dl");
    for (const [term, meaning] of Object.entries(page.terms)) definition(list, term, meaning);
    return list;
  },
};

for (const [begins, ends] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(begins, ({ target }) => {
    const word = target.closest(".term");
    if (word) terms.show(word);
  });
  document.addEventListener(ends, ({ relatedTarget }) => {
    const next = relatedTarget?.closest?.(".term, #meaning");
    if (terms.word && !next && document.activeElement !== terms.word) terms.show(null);
  });
}
document.addEventListener("keydown", ({ key }) => key === "Escape" && terms.show(null));
document.addEventListener("scroll", () => terms.word && terms.place(terms.word), { capture: true, passive: true });
