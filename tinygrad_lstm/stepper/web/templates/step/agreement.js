// What Python computed travels along: a page that does not compute the same shows no numbers.

const APART = 1e-6; // of an array's largest number; measured: 1e-15 to 1e-12, more where gates are saturated

const agreement = network.disagreement();
const said = document.querySelector("#agreement");
said.textContent = agreement <= APART ? `agrees with Python to ${agreement ? shown(agreement, 1) : "the last digit"}`
  : `This browser computes other numbers than Python did, apart by ${shown(agreement, 2)} of the largest; so none are shown.`;
if (tape.network.narrow) said.textContent += " · float32, computed here in float64";
document.body.classList.toggle("disagrees", !(agreement <= APART));
