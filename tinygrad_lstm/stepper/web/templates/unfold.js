// Unfolding: what Python folded, since it repeats with numbers that count on, as it was; long lists piece by piece.
//
// A row is the number of a text, and the numbers that stand in it where the text has 0, or ₀. A run is rows that come
// again and again, and by how much their numbers grow each time: [how often, rows, growths]. See pages/folding.py.

const NUMBERS = /([0-9]+|[₀-₉]+)/;
const below = (number) => String(number).replace(/[0-9]/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

class Unfolding {
  /** The texts come as pieces: what stands between the places, and how a number is written at each. */
  constructor(texts) {
    this.texts = texts.map((text) => {
      const [pieces, places] = [[""], []];
      text.split(NUMBERS).forEach((piece, i) => {
        if (i % 2 === 0 || (piece !== "0" && piece !== "₀")) pieces[pieces.length - 1] += piece;
        else {
          places.push(piece === "0" ? String : below);
          pieces.push("");
        }
      });
      return { pieces, places };
    });
  }

  /** The part that a row stands for, at the k-th time that its run comes. */
  part(row, growth = [], k = 0) {
    const { pieces, places } = this.texts[row[0]];
    let text = pieces[0];
    places.forEach((written, i) => { text += written(row[i + 1] + (growth[i] ?? 0) * k) + pieces[i + 1]; });
    return JSON.parse(text);
  }

  /** A list of which each part is made when it is asked for. */
  list(value) { return Array.isArray(value) ? this.whole(value) : new List(value["~"], this); }

  /** A value with all that is folded in it. */
  whole(value) {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => this.whole(each));
    if (Array.isArray(value["~"])) return [...this.list(value)];
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.whole(each)]));
  }
}

class List {
  constructor(items, unfolding) {
    this.unfolding = unfolding;
    this.length = 0;
    this.runs = items.map((item) => {
      const [often, rows, growths] = Array.isArray(item[1]) ? item : [1, [item], []];
      const run = { first: this.length, rows, growths };
      this.length += often * rows.length;
      return run;
    });
  }

  at(place) {
    let [low, high] = [0, this.runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runs[middle].first <= place) low = middle;
      else high = middle - 1;
    }
    const { first, rows, growths } = this.runs[low];
    const which = (place - first) % rows.length;
    return this.unfolding.whole(this.unfolding.part(rows[which], growths[which], Math.floor((place - first) / rows.length)));
  }

  * [Symbol.iterator]() {
    for (let place = 0; place < this.length; place += 1) yield this.at(place);
  }
}
