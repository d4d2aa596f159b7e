// A pad: strokes are lists of points, of which a file is made; nothing leaves the page otherwise.
const [pad, digit, keep, clear, save, said] = ["pad", "digit", "keep", "clear", "save", "said"].map((id) => document.getElementById(id));
const pen = pad.getContext("2d"), kept = [];
let strokes = [], drawing = false;

function point(event) {
  const box = pad.getBoundingClientRect(), scale = pad.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale].map((number) => Math.round(number * 10) / 10);
}

function paint() {
  pen.clearRect(0, 0, pad.width, pad.height);
  Object.assign(pen, { lineWidth: 22, lineCap: "round", lineJoin: "round", strokeStyle: getComputedStyle(pad).color });
  for (const stroke of strokes) {
    pen.beginPath();
    pen.moveTo(...stroke[0]);
    for (const place of stroke) pen.lineTo(...place);
    pen.stroke();
  }
  keep.disabled = clear.disabled = !strokes.length;
}

pad.addEventListener("pointerdown", (event) => {
  pad.setPointerCapture(event.pointerId);
  drawing = true;
  strokes.push([point(event)]);
  paint();
});
pad.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  strokes.at(-1).push(point(event));
  paint();
});
for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => { drawing = false; });

clear.addEventListener("click", () => {
  strokes = [];
  paint();
});
keep.addEventListener("click", () => {
  kept.push({ digit: digit.value === "" ? null : Number(digit.value), strokes });
  strokes = [];
  paint();
  save.href = `data:application/json,${encodeURIComponent(JSON.stringify(kept))}`;
  save.hidden = false;
  if (digit.value !== "") digit.selectedIndex = (digit.selectedIndex + 1) % 10;
  said.textContent = `${kept.length} kept: ${kept.map((each) => each.digit ?? "?").join(" ")}`;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
paint();
