// Terms: words of the field, each explained by Python in a sentence, where it stands first: on hover, on focus, at a tap.

class Terms {
  /** The meanings of terms, and where the page is read for them: a selector of lines of prose and headings, no numbers. */
  constructor(meanings, where) {
    Object.assign(this, { meanings, where, word: null }); // the word whose meaning is shown
    this.meaning = document.querySelector("#meaning");
    this.pattern = new RegExp(`(?<![\\p{L}\\p{N}_.])(${Object.keys(meanings).join("|")})(s?)(?![\\p{L}\\p{N}_])`, "giu");
    for (const [begins, ends] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
      document.addEventListener(begins, ({ target }) => {
        const word = target.closest(".term");
        if (word) this.show(word);
      });
      document.addEventListener(ends, ({ relatedTarget }) => {
        const next = relatedTarget?.closest?.(".term, #meaning");
        if (this.word && !next && document.activeElement !== this.word) this.show(null);
      });
    }
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.show(null));
    document.addEventListener("scroll", () => this.word && this.place(this.word), { capture: true, passive: true });
  }

  of(text) { return Object.keys(this.meanings).find((term) => [term, `${term}s`].includes(text.toLowerCase())); }

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
  }

  mark(text, seen) {
    const found = [...text.data.matchAll(this.pattern)].find(([word]) => !seen.has(this.of(word)));
    if (!found) return;
    const term = this.of(found[0]);
    seen.add(term);
    const word = text.splitText(found.index);
    const rest = word.splitText(found[0].length);
    const marked = element("dfn", { className: "term", tabIndex: 0, textContent: word.data });
    marked.dataset.term = term;
    word.replaceWith(marked);
    this.mark(rest, seen);
  }

  show(word) {
    if (word === this.word) return;
    this.word?.removeAttribute("aria-describedby");
    this.word = word;
    this.meaning.hidden = word === null;
    if (word === null) return;
    word.setAttribute("aria-describedby", "meaning");
    this.meaning.textContent = this.meanings[word.dataset.term];
    this.place(word);
  }

  /** The meaning stands below its word, or above where there is no room. */
  place(word) {
    const { left, top, bottom } = word.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.meaning;
    this.meaning.style.left = `${Math.max(4, Math.min(left, innerWidth - offsetWidth - 8))}px`;
    this.meaning.style.top = `${bottom + 4 + offsetHeight < innerHeight ? bottom + 4 : top - offsetHeight - 4}px`;
  }
}
