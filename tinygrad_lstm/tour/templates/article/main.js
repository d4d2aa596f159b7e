// What Python computed travels along: the page says how well it agrees with that, and shows no number that does not.

let room = document.documentElement.clientWidth;
window.addEventListener("resize", () => {
  if (document.documentElement.clientWidth === room) return; // a phone's bars come and go
  room = document.documentElement.clientWidth;
  for (const show of figures) show();
});

const APART = 1e-6; // of an array's largest number; measured: 1e-15 to 1e-12

const apart = Math.max(gated.apart, plain.apart);
document.querySelector("#agreement").textContent = apart <= APART ? `The figures agree with Python to ${apart ? shown(apart, 1) : "the last digit"}.`
  : `This browser computes other numbers than Python did, apart by ${shown(apart, 2)} of the largest; do not trust its figures.`;
document.body.classList.toggle("disagrees", !(apart <= APART));

new Terms(given.terms, ".prose > p, .lede").explain();
