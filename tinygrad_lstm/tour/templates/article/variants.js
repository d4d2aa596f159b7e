// Variants: one painted cell at a time.

(() => {
  const figure = figureOf("variants");
  const radios = [...figure.root.querySelectorAll("input[type=radio]")];
  const pictures = [...figure.root.querySelectorAll(".variant")];

  function show() {
    const which = Number(radios.find(({ checked }) => checked).value);
    pictures.forEach((each, i) => { each.hidden = i !== which; });
    const { title, weights } = pictures[which].dataset;
    const least = Math.min(...pictures.map((each) => Number(each.dataset.weights)));
    figure.say(`${title}: `, told(Number(weights), `${weights} weights`), Number(weights) > least ? `, ${shown(Number(weights) / least)} times those of the smallest here.` : ", the fewest here.");
  }

  for (const radio of radios) radio.addEventListener("change", show);
  if (radios.length) show();
})();
