// Pans and zooms the picture, and tells what its boxes are.
//
// The picture lies on a sheet that <main> scrolls. Zooming sets the size of the picture; where it is pushed beyond the
// edge of the window, the sheet is padded. `view` says where its top left corner stands in <main>, in CSS pixels.

const SMALLEST_READABLE = 0.6; // of real size: names are then about 10 pixels high
const LARGEST = 8;
const STEP = 1.25;
const ARROW = 80;
const KEEP = 80; // pixels of the picture that never leave the window
const SLACK = 4; // pixels a mouse may move in a click

const about = document.querySelector("aside");
const output = document.querySelector("output");

const padded = { left: 0, top: 0 };
let fitted = fit; // how the picture was fitted, until somebody moves it
let chosen = null;

const within = (low, value, high) => Math.max(low, Math.min(value, high));

// Where the picture stands

function show() {
  const width = real.width * view.zoom;
  const height = real.height * view.zoom;
  view.x = within(KEEP - width, view.x, main.clientWidth - KEEP);
  view.y = within(KEEP - height, view.y, main.clientHeight - KEEP);
  padded.left = Math.max(0, view.x);
  padded.top = Math.max(0, view.y);
  const right = Math.max(0, main.clientWidth - view.x - width);
  const bottom = Math.max(0, main.clientHeight - view.y - height);
  svg.style.width = sheet.style.width = `${width}px`;
  svg.style.height = sheet.style.height = `${height}px`;
  sheet.style.padding = `${padded.top}px ${right}px ${bottom}px ${padded.left}px`;
  main.scrollTo(Math.max(0, -view.x), Math.max(0, -view.y));
  showMap();
  output.value = `${(100 * view.zoom).toFixed(view.zoom < 0.1 ? 1 : 0)} %`;
}

/** Take over what scroll bars or the focus did; less than a pixel is only the browser's rounding. */
function readScroll() {
  const x = padded.left - main.scrollLeft;
  const y = padded.top - main.scrollTop;
  if (Math.abs(x - view.x) < 1 && Math.abs(y - view.y) < 1) return;
  Object.assign(view, { x, y });
  fitted = null;
  showMap();
}

function fractions() {
  return [main.clientWidth / real.width, main.clientHeight / real.height];
}

/** The whole picture, if it can be read then; else all of its shorter side, from the start. */
function fit() {
  const whole = Math.min(...fractions(), 1);
  const shorter = Math.max(...fractions());
  fitAt(whole >= SMALLEST_READABLE ? whole : within(SMALLEST_READABLE, shorter, 1));
  fitted = fit;
}

function fitWidth() {
  fitAt(Math.min(fractions()[0], LARGEST));
  fitted = fitWidth;
}

function fitAll() {
  fitAt(Math.min(...fractions(), 1));
  fitted = fitAll;
}

function fitAt(zoom) {
  view.zoom = zoom;
  view.x = Math.max(0, (main.clientWidth - real.width * zoom) / 2);
  view.y = Math.max(0, (main.clientHeight - real.height * zoom) / 2);
  show();
}

function pan(dx, dy) {
  readScroll();
  view.x += dx;
  view.y += dy;
  fitted = null;
  show();
}

/** The point of the picture that stands at (x, y) in <main> stays there. */
function zoomTo(zoom, x = main.clientWidth / 2, y = main.clientHeight / 2) {
  readScroll();
  zoom = within(Math.min(0.1, ...fractions()), zoom, LARGEST);
  view.x = x - ((x - view.x) * zoom) / view.zoom;
  view.y = y - ((y - view.y) * zoom) / view.zoom;
  view.zoom = zoom;
  fitted = null;
  show();
}

function inMain(event) {
  const box = main.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

// Mouse, pen and fingers: one pans, two zoom as well

const pointers = new Map();
let start = null;
let dragged = false;

main.addEventListener("pointerdown", (event) => {
  const at = inMain(event);
  const onScrollBar = at.x >= main.clientWidth || at.y >= main.clientHeight;
  if (event.button !== 0 || onScrollBar) return;
  if (pointers.size === 0) {
    start = at;
    dragged = false;
  }
  if (pointers.size < 2) pointers.set(event.pointerId, at);
});

main.addEventListener("pointermove", (event) => {
  if (!pointers.has(event.pointerId)) return;
  if (event.buttons === 0) return release(event);
  const at = inMain(event);
  if (!dragged && pointers.size === 1 && Math.hypot(at.x - start.x, at.y - start.y) < SLACK) return;
  dragged = true;
  main.classList.add("dragging");
  main.setPointerCapture(event.pointerId);
  const before = grip();
  pointers.set(event.pointerId, at);
  const after = grip();
  pan(after.x - before.x, after.y - before.y);
  if (before.spread) zoomTo((view.zoom * after.spread) / before.spread, after.x, after.y);
});

function release(event) {
  pointers.delete(event.pointerId);
  if (pointers.size === 0) main.classList.remove("dragging");
}
main.addEventListener("pointerup", release);
main.addEventListener("pointercancel", release);

/** The middle of all that touches, and how far apart two fingers are. */
function grip() {
  const [a, b = a] = pointers.values();
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) };
}

function turn(event) {
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return; // sideways: the browser scrolls
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
  const at = inMain(event);
  zoomTo(view.zoom * Math.exp(-within(-300, pixels, 300) * (event.ctrlKey ? 0.01 : 0.002)), at.x, at.y);
}
for (const each of [main, map]) each.addEventListener("wheel", turn, { passive: false });

main.addEventListener("dblclick", (event) => {
  const at = inMain(event);
  zoomTo(view.zoom * (event.shiftKey ? 0.5 : 2), at.x, at.y);
});

main.addEventListener("scroll", readScroll);
window.addEventListener("resize", () => (fitted ? fitted() : show()));

// Buttons and keys

const DO = {
  in: () => zoomTo(view.zoom * STEP),
  out: () => zoomTo(view.zoom / STEP),
  fit,
  width: fitWidth,
  all: fitAll,
  real: () => zoomTo(1),
  close: forget,
};

const KEYS = {
  "+": DO.in,
  "=": DO.in,
  "-": DO.out,
  "−": DO.out,
  0: DO.fit,
  1: DO.real,
  9: DO.all,
  Escape: DO.close,
  ArrowLeft: () => pan(ARROW, 0),
  ArrowRight: () => pan(-ARROW, 0),
  ArrowUp: () => pan(0, ARROW),
  ArrowDown: () => pan(0, -ARROW),
  Home: () => pan(-view.x, 0),
  End: () => pan(main.clientWidth - real.width * view.zoom - view.x, 0),
};

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", DO[button.dataset.do]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const box = event.target.closest?.(".node[tabindex]");
  const scrollsText = event.target.closest?.(".words, aside") && /^(Arrow|Home|End)/.test(event.key);
  if (box && (event.key === "Enter" || event.key === " ")) tell(box);
  else if (KEYS[event.key] && !scrollsText) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// What the boxes are

const titleOf = (box) => box.querySelector(":scope > title")?.textContent.trim() ?? "";

function tell(box) {
  const [first, ...rest] = titleOf(box).split("\n");
  chosen?.classList.remove("chosen");
  chosen = box;
  chosen.classList.add("chosen");
  about.querySelector("h2").textContent = first;
  about.querySelector("p").textContent = rest.join("\n");
  about.hidden = false;
  about.scrollTo(0, 0);
  readScroll();
  show();
  reveal(box);
}

function forget() {
  if (about.hidden) return;
  if (about.contains(document.activeElement)) chosen.focus();
  chosen.classList.remove("chosen");
  about.hidden = true;
  show();
}

function reveal(box) {
  const corner = inMain({ clientX: 0, clientY: 0 });
  const { left, right, top, bottom } = box.getBoundingClientRect();
  const dx = nudge(left + corner.x, right + corner.x, main.clientWidth);
  const dy = nudge(top + corner.y, bottom + corner.y, main.clientHeight);
  if (dx || dy) pan(dx, dy);
}

/** How far [low, high] must move to lie within [0, size]; what is longer than that needs only to reach into it. */
function nudge(low, high, size) {
  const margin = 12;
  if (high - low > size - 2 * margin) return low > size || high < 0 ? margin - low : 0;
  return low < margin ? margin - low : Math.min(0, size - margin - high);
}

main.addEventListener("click", (event) => {
  const box = event.target.closest(".node[tabindex]");
  if (box && !dragged) tell(box);
});

main.addEventListener("focusin", (event) => {
  if (event.target === main || pointers.size) return; // nothing moves under a mouse that is about to click
  readScroll();
  reveal(event.target);
});

for (const box of svg.querySelectorAll(".node")) {
  if (!titleOf(box)) continue;
  box.setAttribute("tabindex", "0");
  box.setAttribute("role", "button");
}
svg.setAttribute("role", "group"); // an image has no parts to focus
main.classList.add("ready");
for (const hidden of document.querySelectorAll("header [hidden]")) hidden.hidden = false;
fit();
