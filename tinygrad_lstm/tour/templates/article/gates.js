// The gates, one at a time: where each sits in the cell, and how far it is open at each word.

(() => {
  const figure = figureOf("gates");
  const picture = figure.root.querySelector(".picture");
  const radios = [...figure.root.querySelectorAll("input[type=radio]")];
  const once = words.slice(0, given.once);

  function show() {
    const which = radios.find(({ checked }) => checked)?.value ?? "0";
    const layer = gated.layers[which];
    if (picture) light(picture, which);
    const columns = gated.values(layer).slice(0, given.once);
    const means = columns.map(mean);
    const [widest, narrowest] = [Math.max(...means), Math.min(...means)].map((x) => means.indexOf(x));
    grid(figure.plot, { names: once, columns, most: 1, tall: 130, gate: layer.gate, label: `${layer.name}, each unit at each word; on average ${shown(mean(means), 2)}` });
    if (layer.gate) {
      figure.say(element("i", {}, layer.symbol), " is open ", told(mean(means), percent(mean(means))), " on average: widest at ", word(once[widest]), ", ", told(means[widest], percent(means[widest])),
        ", narrowest at ", word(once[narrowest]), ", ", told(means[narrowest], percent(means[narrowest])), ". Full colour is open; a row for each unit.");
    } else {
      const size = mean(columns.map((column) => mean(column.map(Math.abs))));
      figure.say(element("i", {}, layer.symbol), " is ", told(size, shown(size, 2)), " from zero on average; warm is positive, cool negative.");
    }
  }

  /** Where prose and figure stand side by side, the figure shows the gate that one is reading of. */
  const headings = [...document.querySelectorAll("#gates h3")];
  let read = 0;
  document.addEventListener("scroll", () => {
    const [first] = headings;
    if (first.getBoundingClientRect().right > figure.root.getBoundingClientRect().left) return;
    const now = Math.max(0, headings.findLastIndex((each) => each.getBoundingClientRect().top < 0.55 * window.innerHeight));
    if (now === read) return;
    read = now;
    radios[now].checked = true;
    show();
  }, { passive: true });

  for (const radio of radios) radio.addEventListener("change", show);
  showing(show);
})();
