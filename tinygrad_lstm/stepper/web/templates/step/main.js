// Moving about: buttons, keys, the address, the command line; and showing where we are.

const log = document.querySelector("#console pre");
const line = document.querySelector("#line");
const playButton = document.querySelector('[data-do="play"]');
const speed = document.querySelector("#timeline select");
const dialog = document.querySelector("dialog");
const state = { last: "step", playing: null, resting: null, marked: walk.breakpoints };

function show({ hurry = false } = {}) {
  const { event } = walk;
  const hidden = isHidden(event);
  picture.show(walk.position, hurry);
  showEquation(event, hidden);
  showAccumulator(event, hidden);
  showNumbers(event);
  showLedger(event);
  showDisplays();
  guess.show(event);
  showTimeline(event);
  strip.show(event);
  document.querySelector("#narration").textContent = narrate(event, hidden);
  remember(event);
}

/** The event as an English sentence. */
function narrate(event, hidden) {
  const { of } = event;
  const when = of.time === null ? "" : ` at ${timed(of.time)}`;
  if (event.phase === "seed") return `The seed: the gradient of ${named(of)} with respect to itself is ${asText(of.gradient, 4)}. The walk back begins here.`;
  if (event.phase === "forward") {
    return of.op ? `Forward${when}: ${of.op} computes ${of.equation}.` : `Forward: ${named(of)} is given.`;
  }
  if (!event.edge) return `Backward${when}: nothing comes by here, since what is held fixed passes no error on.`;
  const size = hidden ? "its size is for you to guess" : `it has norm ${shown(normOf(event.added))}`;
  const complete = event.arrived < event.expected ? `${event.arrived} of ${event.expected} have arrived`
    : `all ${event.expected > 1 ? `${event.expected} have` : "of it has"} arrived, so it can be passed on`;
  return `Backward${when}: ${of.op} sends a contribution to the gradient of ${named(event.target)}; ${size}, and ${complete}.`;
}

/** The address of an event, with what was changed. */
const address = ({ number }) => `${location.href.split("#")[0]}#step=${number}${change.inAddress}`;

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

function look(view) {
  const { grain } = tape.views.find((each) => each.view === view);
  walk.grain = grain;
  picture.open(view);
  picture.show(walk.position, true);
}

function say(text) {
  log.hidden = !text;
  log.textContent = text ?? "";
}

/** Carry out a command line, and tell what it says or where it led. */
function obey(text) {
  const before = walk.position;
  stopPlaying();
  try {
    const said = carryOut(text);
    log.classList.remove("refused");
    say(said ?? (walk.position === before ? "here already, or at the end of the walk" : ""));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    log.classList.add("refused");
    say(error.message);
  }
  if (walk.breakpoints !== state.marked) showMarks();
  state.marked = walk.breakpoints;
  if (walk.grain !== grainOf(picture.view)) openGrain();
  show();
}

/** What next passes over, and the view where that is one box, go together. */
const grainOf = (name) => tape.views.find(({ view }) => view === name)?.grain ?? walk.grain;

function openGrain() {
  const fitting = tape.views.filter(({ grain }) => grain === walk.grain);
  picture.open(fitting.at(-1).view);
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
    if (walk.position === events.length - 1 || (isHidden(walk.event) && state.playing !== 0)) {
      stopPlaying();
      return;
    }
    walk.to(walk.position + 1);
    show({ hurry: Number(speed.value) > 5 });
    state.playing = setTimeout(tick, 1000 / Number(speed.value));
  };
  state.playing = 0; // the first step is taken even if something is to be guessed here
  tick();
}

const CONTROLS = {
  first: () => go(0),
  last: () => go(events.length - 1),
  play,
  "reverse-next": () => obey("reverse-next"),
  "reverse-step": () => obey("reverse-step"),
  step: () => obey("step"),
  next: () => obey("next"),
};

/** The keys of commands are those of the table; the others are the page's own. */
const ARROWS = { "→": "ArrowRight", "←": "ArrowLeft" };
const KEYS = {
  ...Object.fromEntries(tape.commands.filter(({ key }) => key).map(({ name, key, argument }) => [
    ARROWS[key] ?? key,
    argument === "PLACE" ? () => prompt(`${name} `) : () => obey(name),
  ])),
  "/": () => prompt(""),
  p: () => togglePredict(),
  e: () => whatIf.toggle(),
  "+": () => picture.zoom(1),
  "=": () => picture.zoom(1),
  "-": () => picture.zoom(-1),
  Home: CONTROLS.first,
  End: CONTROLS.last,
  " ": play,
  "?": () => openHelp(),
};

const KEY_MEANINGS = [
  ...tape.commands.filter(({ key }) => key && key !== "?").map(({ key, meaning }) => [key, meaning]),
  ["Space", "play and pause"], ["Home End", "to the beginning, to the end"], ["+ −", "a nearer picture, or a farther one"],
  ["p", "predict"], ["e", "what if: change a number, hold a gate"], ["/", "type a command; Esc leaves, and closes an answer"], ["?", "this help"],
];

function prompt(start) {
  line.value = start;
  line.focus();
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

function openHelp() {
  if (dialog.open) return;
  const keys = element("dl");
  for (const [key, meaning] of KEY_MEANINGS) definition(keys, key, meaning);
  dialog.querySelector(".body").replaceChildren(keys, element("pre", { textContent: tape.help }));
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.addEventListener("keydown", (press) => {
  const typing = press.target.closest("input:not([type=range], [type=radio]), select, dialog")
    || (press.target.matches("[type=radio]") && (press.key.startsWith("Arrow") || press.key === " "));
  const scrolling = press.target.closest("#picture, pre") && press.key.startsWith("Arrow") && press.shiftKey;
  const pressing = press.target.closest("button") && press.key === " ";
  if (press.key === "Escape") say("");
  if (press.key === "Escape" && typing) press.target.blur();
  if (typing || scrolling || pressing || press.ctrlKey || press.metaKey || press.altKey) return;
  const act = KEYS[press.key];
  if (!act) return;
  press.preventDefault();
  act();
});

for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", CONTROLS[button.dataset.do]);
for (const button of document.querySelectorAll("button[data-view]")) button.addEventListener("click", () => look(button.dataset.view));
document.querySelector("#predict").addEventListener("click", togglePredict);
document.querySelector("#help").addEventListener("click", openHelp);
slider.addEventListener("input", () => go(Number(slider.value)));
document.querySelector("#console").addEventListener("submit", (submit) => {
  submit.preventDefault();
  state.last = line.value.trim() || state.last;
  line.value = "";
  obey(state.last);
});
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
    if (asked.has("change")) change.take(asked.get("change"));
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

walk.to(positionOf.get(tape.position) ?? seedPosition);
if (picture.views.length) {
  const [first] = tape.grains;
  if (walk.grain === first && tape.views.some(({ grain }) => grain === "gate")) walk.grain = "gate"; // operations are too many for a first sight
  openGrain();
} else {
  document.querySelector("#picture .nothing").hidden = false;
  document.querySelector(".views").hidden = true;
}
strip.draw();
showMarks();
show({ hurry: true });
follow(location.href);
show({ hurry: true });
if (!change.isNothing) whatIf.toggle(true);
