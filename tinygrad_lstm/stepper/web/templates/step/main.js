// Moving about: buttons, keys, the address; and showing where we are.

const told = document.querySelector("#told");
const playButton = document.querySelector('[data-do="play"]');
const speed = document.querySelector("#timeline select");
const dialog = document.querySelector("dialog");
const state = { playing: null, resting: null };
const terms = new Terms(page.terms, [...["h2", "h3", "p", "dt"].map((line) => `#panels section:not([hidden], #change, #stops) ${line}`), "#strip:not([hidden]) h2", "#narration"].join());
const APART = 1e-6; // of an array's largest number; measured: 1e-15 to 1e-12, more where gates are saturated

/** Show the event at hand: at once, if that is in a hurry; what is added is seen to fall, where somebody walks. */
function show({ hurry = false, walks = false } = {}) {
  const { event } = walk;
  const hidden = isHidden(event);
  coach.follow(event); // first: a hint that goes makes room for the picture
  picture.show(walk.position, hurry);
  tanks.show(event, walks);
  showEquation(event, hidden);
  showAccumulator(event, hidden);
  showNumbers(event);
  showLedger(event);
  showStops();
  thread.show(event);
  guess.show(event);
  pairs.show(event);
  minimap.show(event);
  showTimeline(event);
  strip.show(event);
  document.querySelector("#narration").textContent = narrate(event, hidden);
  terms.explain();
  document.querySelector('[data-do="here"]').setAttribute("aria-pressed", String(walk.isStop(event)));
  remember(event);
}

/** Look at another network, or at so many steps of it, from the same place if it is there. */
function lookAt(cell, steps) {
  const event = events.length ? walk.event : null;
  load(cell, steps);
  walk.to(event ? walk.find(event) : page.position);
  guess.seen.clear();
  slider.max = String(events.length - 1);
  tanks.build();
  picture.forget();
  showMarks();
  whatIf.offer();
}

/** What Python computed travels along: a page that does not compute the same shows no numbers. */
function compare() {
  const apart = network.disagreement(page.cells[page.cell].answers);
  const agrees = apart <= APART;
  let words = agrees ? `agrees with Python to ${apart ? shown(apart, 1) : "the last digit"}`
    : `This browser computes other numbers than Python did, apart by ${shown(apart, 2)} of the largest; so none are shown.`;
  if (tape.network.narrow) words += " · float32, computed here in float64";
  document.querySelector("#agreement").textContent = words;
  document.body.classList.toggle("disagrees", !agrees);
}

/** The address of an event, with what was changed. */
const address = ({ position }) => `${location.href.split("#")[0]}#step=${position}${changeInAddress()}`;

/** The address leads back here, once we have come to rest; where a frame has none of its own, that is no matter. */
function remember(event, after = 150) {
  clearTimeout(state.resting);
  state.resting = setTimeout(() => {
    try {
      history.replaceState(null, "", address(event));
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
  }, after);
}

function go(position) {
  stopPlaying();
  say("");
  walk.to(position);
  show();
}

/** Move as something says; where that leads nowhere, say so. */
function move(how) {
  const before = walk.position;
  stopPlaying();
  how();
  say(walk.position === before ? "here already, or at the end of the walk" : "");
  show({ walks: true });
}

function toggleStop(how) {
  how();
  showMarks();
  show({ hurry: true });
}

/** A view, and how far a step goes in it: a box. */
function look(view) {
  walk.grain = page.views.find(([name]) => name === view)[1];
  picture.keeping(() => picture.open(view));
  pairs.show(walk.event);
  minimap.show(walk.event);
}

function say(text) {
  told.hidden = !text;
  told.textContent = text;
}

// Playing

function stopPlaying() {
  if (state.playing === null) return;
  clearTimeout(state.playing);
  state.playing = null;
  playButton.textContent = "▶";
  playButton.setAttribute("aria-label", "Play");
}

function play() {
  if (state.playing !== null) {
    stopPlaying();
    return;
  }
  if (walk.position === events.length - 1) walk.to(seedPosition);
  playButton.textContent = "❚❚";
  playButton.setAttribute("aria-label", "Pause");
  const tick = () => {
    const stops = state.playing !== 0 && (isHidden(walk.event) || walk.isStop(walk.event));
    if (walk.position === events.length - 1 || stops) {
      stopPlaying();
      return;
    }
    walk.stride(1);
    const hurry = Number(speed.value) > 5;
    show({ hurry, walks: !hurry });
    state.playing = setTimeout(tick, 1000 / Number(speed.value));
  };
  state.playing = 0; // the first step is taken even if one is to stop here
  tick();
}

const CONTROLS = {
  first: () => go(0),
  last: () => go(events.length - 1),
  play,
  back: () => move(() => walk.stride(-1)),
  on: () => move(() => walk.stride(1)),
  "one-back": () => move(() => walk.to(walk.position - 1)),
  "one-on": () => move(() => walk.to(walk.position + 1)),
  "stop-back": () => move(() => walk.toStop(-1)),
  "stop-on": () => move(() => walk.toStop(1)),
  here: () => toggleStop(() => walk.toggleHere()),
  watch: () => walk.event.target && toggleStop(() => walk.toggleTensor(walk.event.target)),
};

/** Keys, what each does, and in words. */
const KEYS = [
  ["→", "ArrowRight", CONTROLS.on, "on by one box of the view: a cell, a gate, or a contribution"],
  ["←", "ArrowLeft", CONTROLS.back, "back by one"],
  [".", ".", CONTROLS["one-on"], "on by one contribution, in any view"],
  [",", ",", CONTROLS["one-back"], "back by one contribution"],
  ["Space", " ", play, "play and pause"],
  ["c", "c", CONTROLS["stop-on"], "run to the next place to stop at, or to the end"],
  ["C", "C", CONTROLS["stop-back"], "back to the one before, or to the beginning"],
  ["b", "b", CONTROLS.here, "stop here, or no longer"],
  ["w", "w", CONTROLS.watch, "stop at each += of this tensor, or no longer"],
  ["Home", "Home", CONTROLS.first, "to the beginning"],
  ["End", "End", CONTROLS.last, "to the end"],
  ["1 … 4", "1", () => nth(0), "the views: loop, cells, gates, operations"],
  ["+", "+", () => picture.zoom(1.25), "nearer"],
  ["−", "-", () => picture.zoom(0.8), "farther"],
  ["0", "0", () => picture.zoom(0), "fit the picture"],
  ["9", "9", () => picture.whole(), "all of the picture, however small"],
  ["p", "p", () => togglePredict(), "predict each contribution before it is shown"],
  ["e", "e", () => whatIf.toggle(), "what if: change a number, hold a gate, other steps"],
  ["Ctrl+Z", "undo", () => change.undo(), "undo a change; with Shift, redo it"],
  ["?", "?", () => openHelp(), "this help"],
];

const ACTIONS = { ...Object.fromEntries(KEYS.map(([, key, act]) => [key, act])), "=": () => picture.zoom(1.25), 2: () => nth(1), 3: () => nth(2), 4: () => nth(3) };

function nth(i) {
  if (picture.views[i]) look(picture.views[i]);
}

function togglePredict() {
  guess.on = !guess.on;
  document.querySelector("#predict").setAttribute("aria-pressed", String(guess.on));
  show();
  if (!guess.section.hidden) guess.section.querySelector("input").focus();
}

function reveal(verdict) {
  guess.seen.add(walk.position);
  show();
  say(verdict);
}

document.querySelector("#hints").addEventListener("click", () => {
  dialog.close();
  coach.again();
});

function openHelp() {
  if (dialog.open) return;
  const [keys, words] = [element("dl"), element("dl")];
  for (const [key, , , meaning] of KEYS) definition(keys, key, meaning);
  for (const [term, meaning] of Object.entries(page.terms)) definition(words, term, meaning);
  dialog.querySelector(".body").replaceChildren(keys, element("h3", { textContent: "Words" }), words);
  dialog.showModal();
  dialog.scrollTop = 0;
}

const isTyping = ({ target, key }) => target.closest("input:not([type=range], [type=radio]), select, dialog")
  || (target.matches("[type=radio]") && key.startsWith("Arrow"));

document.addEventListener("keydown", (press) => {
  const typing = isTyping(press);
  const scrolling = press.target.closest("#picture") && press.key.startsWith("Arrow") && press.shiftKey;
  if (press.key === "Escape") say("");
  if (press.key === "Escape") {
    if (typing) press.target.blur();
    else coach.escape();
  }
  if ((press.ctrlKey || press.metaKey) && !typing && /^[zy]$/i.test(press.key)) {
    press.preventDefault();
    if (press.shiftKey || press.key.toLowerCase() === "y") change.redo();
    else change.undo();
  }
  if (typing || scrolling || press.ctrlKey || press.metaKey || press.altKey) return;
  const act = ACTIONS[press.key];
  if (!act) return;
  press.preventDefault();
  act();
});
document.addEventListener("keyup", (press) => {
  if (press.key === " " && !isTyping(press)) press.preventDefault(); // it plays, whichever button has the focus
});

for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", CONTROLS[button.dataset.do]);
for (const button of document.querySelectorAll("button[data-view]")) button.addEventListener("click", () => look(button.dataset.view));
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => picture.zoom(Number(button.dataset.zoom)));
document.querySelector("#whole").addEventListener("click", () => picture.whole());
document.querySelector("#predict").addEventListener("click", togglePredict);
document.querySelector("#help").addEventListener("click", openHelp);
slider.addEventListener("input", () => go(Number(slider.value)));
guess.section.querySelector("form").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const { verdict, right } = guess.compare(walk.event, guess.section.querySelector("input").value);
  guess.section.querySelector(".verdict").textContent = verdict;
  if (right) reveal(verdict);
});
guess.section.querySelector(".show").addEventListener("click", () => reveal(""));

/** Where an address leads, and what it changes. */
function follow(address) {
  const asked = new URLSearchParams(address.split("#")[1] ?? "");
  try {
    if (asked.has("change")) takeChange(asked.get("change"));
    if (!asked.has("step")) return asked.has("change");
    walk.to(positionOfNumber(wholeNumber("#step=", asked.get("step"))));
    say("");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.message);
    return false;
  }
  return true;
}

addEventListener("hashchange", ({ newURL }) => {
  if (follow(newURL)) show();
});
addEventListener("resize", () => {
  picture.fit();
  strip.draw();
  showMarks();
  show({ hurry: true });
});
dark.addEventListener("change", () => show({ hurry: true })); // heat maps are painted in the colours of one of them

lookAt(page.cell, page.steps);
coach.build();
compare();
if (picture.views.length) look(picture.views.includes("gates") && walk.grain === page.grains[0] ? "gates" : page.views.findLast(([view, grain]) => grain === walk.grain && picture.views.includes(view))[0]);
strip.draw();
showMarks();
whatIf.fill();
show({ hurry: true });
follow(location.href);
show({ hurry: true });
if (!change.isNothing) whatIf.toggle(true);
document.body.classList.add("ready");
