// Sorts the table and sets cells side by side. Without it all is there, in the order of the years.

const body = document.querySelector("tbody");
const rows = [...body.rows];
const heads = [...document.querySelectorAll("thead th[aria-sort]")];
const ticks = [...document.querySelectorAll(".tick input")];
const cards = new Map([...document.querySelectorAll("article")].map((card) => [card.dataset.cell, card]));
const status = document.querySelector(".comparing");
const MOST = 3;
let chosen = [];
let sorted = null; // the place of a heading, and whether it is upside down

function sort(place, down) {
  const words = heads[place].querySelector("button").dataset.kind === "words";
  const order = (row) => row.cells[place + 1].dataset.order;
  const compare = (a, b) => (words ? order(a).localeCompare(order(b)) : order(a) - order(b) || 0);
  const ordered = [...rows].sort(compare);
  body.append(...(down ? ordered.reverse() : ordered));
  heads.forEach((head, i) => head.setAttribute("aria-sort", i !== place ? "none" : down ? "descending" : "ascending"));
  sorted = [place, down];
}

function title(name) {
  return document.querySelector(`tr[data-cell="${CSS.escape(name)}"] th`).textContent;
}

function show() {
  document.body.classList.toggle("side", chosen.length > 1);
  document.body.style.setProperty("--beside", chosen.length || 1);
  for (const row of rows) row.classList.toggle("chosen", chosen.includes(row.dataset.cell));
  for (const tick of ticks) tick.checked = chosen.includes(tick.value);
  for (const [name, card] of cards) card.classList.toggle("chosen", chosen.includes(name));
  mark();
  status.textContent = "";
  if (chosen.length === 1) status.textContent = `${title(chosen[0])}, and? Tick another to see them side by side.`;
  if (chosen.length > 1) {
    const last = chosen.at(-1);
    const clear = document.createElement("button");
    clear.type = "button";
    clear.textContent = "show all";
    clear.addEventListener("click", () => choose([]));
    status.append(`Side by side: ${chosen.slice(0, -1).map(title).join(", ")} and ${title(last)}; in bold what differs. `, clear);
  }
}

function mark() {
  const lists = chosen.map((name) => [...cards.get(name).querySelectorAll("dl div")]);
  const values = new Map();
  for (const line of lists.flat()) {
    const key = line.querySelector("dt").textContent;
    values.set(key, (values.get(key) ?? new Set()).add(line.querySelector("dd").textContent));
  }
  for (const card of cards.values()) {
    for (const line of card.querySelectorAll("dl div")) {
      line.classList.toggle("differing", chosen.length > 1 && (values.get(line.querySelector("dt").textContent)?.size ?? 0) > 1);
    }
  }
}

function choose(names) {
  chosen = names.filter((name) => cards.has(name)).slice(-MOST);
  for (const name of chosen) cards.get(name).parentElement.append(cards.get(name)); // in the order they were chosen
  if (!chosen.length) for (const row of rows) cards.get(row.dataset.cell).parentElement.append(cards.get(row.dataset.cell));
  show();
  history.replaceState(null, "", chosen.length ? `#compare=${chosen.join(",")}` : location.pathname + location.search);
}

heads.forEach((head, place) => {
  head.querySelector("button").addEventListener("click", () => sort(place, sorted?.[0] === place && !sorted[1]));
});
for (const tick of ticks) {
  tick.addEventListener("change", () => choose(tick.checked ? [...chosen, tick.value] : chosen.filter((name) => name !== tick.value)));
}
for (const link of document.querySelectorAll("tbody th a")) {
  link.addEventListener("click", () => { if (chosen.length > 1 && !chosen.includes(link.hash.slice(1))) choose([]); });
}
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("click", () => {
    const large = picture.closest("article").classList.toggle("large");
    picture.setAttribute("aria-expanded", large);
  });
}
function linked() {
  const found = /^#compare=(.+)$/.exec(location.hash);
  if (found) choose(decodeURIComponent(found[1]).split(","));
}
addEventListener("hashchange", linked);
linked();
