// One gradient, checked by hand: the slope between two nudges, beside what backpropagation says.

(() => {
  const figure = figureOf("proof");
  const { network } = plain;
  const learns = network.nodes.filter(({ code, learns: does, number }) => !code && does && network.gradients.get(number));
  const largest = (data) => data.reduce((best, x, i) => (Math.abs(x) > Math.abs(data[best]) ? i : best), 0);
  const leaf = learns.reduce((best, node) => (maxOf(node) > maxOf(best) ? node : best), learns[0]);
  const place = largest(network.gradients.get(leaf.number).data);
  const exact = network.gradients.get(leaf.number).data[place];

  function maxOf({ number }) { const { data } = network.gradients.get(number); return Math.abs(data[largest(data)]); }

  function lossAt(nudge) {
    const other = leaf.given.copy();
    other.data[place] += nudge;
    network.set(leaf.number, other);
    network.compute();
    return plain.loss;
  }

  const COUNT = Number(figure.range.max) + 1;
  const slopes = Array.from({ length: COUNT }, (_, n) => (lossAt(10 ** -n) - lossAt(-(10 ** -n))) / (2 * 10 ** -n));
  network.set(leaf.number, null);
  network.compute();
  const errors = slopes.map((slope) => Math.abs(slope - exact) / Math.abs(exact));

  sliding(figure.range, (n) => {
    figure.output.textContent = String(n);
    lines(figure.plot, { names: errors.map((_, i) => decade(-i)), log: true, cursor: n, series: [{ name: "how far slope and gradient are apart", kind: "back", values: errors }],
      label: `Relative difference of slope and gradient for each ε; at ${decade(-n)} ${shown(errors[n])}` });
    figure.say("The slope is ", told(slopes[n], shown(slopes[n], 10)), ", backpropagation says ", told(exact, shown(exact, 10)), ": apart by ", told(errors[n], shown(errors[n], 2)), " of it.");
  });
})();
