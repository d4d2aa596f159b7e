// The map: of a picture of which the window shows a part, the whole, small, and where the window is in it.

const MAP = { wide: 0.6, high: 110, least: 14 }; // of the window's width; pixels of height, at most and at least
const MOST_ELEMENTS = 10_000; // of a picture that is shown twice; of a larger one the map is empty

const main = document.querySelector("main");
const sheet = main.querySelector(".sheet");
const svg = sheet.querySelector("svg");
const real = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
const view = { x: 0, y: 0, zoom: 1 };

const map = document.querySelector(".map");
const graph = svg.querySelector("g");
if (graph.querySelectorAll("*").length < MOST_ELEMENTS) map.prepend(copied());
map.classList.add(...svg.classList); // for its colours on dark pages
map.setAttribute("viewBox", svg.getAttribute("viewBox"));

/** The elements of the picture, which there are nothing but paint: without names, titles or anything to press. */
function copied() {
  const copy = graph.cloneNode(true);
  for (const title of copy.querySelectorAll("title")) title.remove();
  for (const each of [copy, ...copy.querySelectorAll("*")]) for (const name of ["id", "class", "data-id"]) each.removeAttribute(name);
  return copy;
}

function showMap() {
  const [width, height] = [real.width * view.zoom, real.height * view.zoom];
  map.toggleAttribute("hidden", width * height < 1.8 * Math.min(width, main.clientWidth) * Math.min(height, main.clientHeight));
  if (map.hasAttribute("hidden")) return;
  const wide = Math.min(MAP.wide * main.clientWidth, (MAP.high * real.width) / real.height);
  map.style.width = `${wide}px`;
  map.style.height = `${Math.max(MAP.least, (wide * real.height) / real.width)}px`;
  const [left, top, across, down] = map.getAttribute("viewBox").split(" ").map(Number);
  const place = { x: left - (across * view.x) / width, y: top - (down * view.y) / height, width: (across * main.clientWidth) / width, height: (down * main.clientHeight) / height };
  for (const [name, value] of Object.entries(place)) map.querySelector(".window").setAttribute(name, value);
}

/** Have the middle of the window where one points. */
function pointMap({ clientX, clientY }) {
  const box = map.getBoundingClientRect();
  const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  pan(main.clientWidth / 2 - x * real.width * view.zoom - view.x, main.clientHeight / 2 - y * real.height * view.zoom - view.y);
}

map.addEventListener("pointerdown", (press) => {
  map.setPointerCapture(press.pointerId);
  readScroll();
  pointMap(press);
});
map.addEventListener("pointermove", (move) => map.hasPointerCapture(move.pointerId) && pointMap(move));
