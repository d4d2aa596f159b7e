// What if the gate were open: its bias moved, or the gate held, and everything computed again.

(() => {
  const figure = figureOf("open");
  if (!figure) return;
  const layer = gated.layers[gated.held];
  const { network } = gated;
  const radios = [...figure.root.querySelectorAll("input[type=radio]")];
  const reset = figure.root.querySelector(".reset");
  const trained = { openings: gated.openings(layer), felt: gated.felt, loss: gated.loss };
  const bias = layer.bias === null ? null : network.nodes[layer.bias].given;
  const learned = bias ? mean(bias.data) : 0;
  const [held, plot] = [() => radios.find(({ checked }) => checked).value, (name) => figure.root.querySelector(`.plot.${name}`)];
  if (bias) figure.range.value = learned;
  else figure.range.closest(".controls").hidden = true;
  let moved = false;

  function show() {
    const at = moved ? Number(figure.range.value) : learned;
    if (bias) network.set(layer.bias, moved ? mapped((x) => x + at - learned, bias) : null);
    for (const number of layer.at) {
      const { shape } = network.nodes[number];
      network.set(number, held() === "" ? null : new NumArray(shape, new Float64Array(sizeOf(shape)).fill(Number(held()))));
    }
    network.compute();
    tell(at);
  }

  function tell(at) {
    const { felt, loss } = gated;
    const openings = gated.openings(layer);
    const isTrained = !moved && held() === "";
    figure.output?.replaceChildren(told(at, shown(at)));
    figure.range.disabled = held() !== "";
    reset.disabled = isTrained;
    const ghost = (values) => (isTrained ? [] : [{ name: "as trained", kind: "gated", ghost: true, values }]);
    lines(plot("openings"), { names: words.map(() => ""), low: 0, high: 1, tall: 104, series: [...ghost(trained.openings), { name: `${layer.symbol}, open`, kind: "gate", values: openings }],
      label: `How open ${layer.symbol} is at each word, on average ${shown(mean(openings), 2)}` });
    lines(plot("gradients"), { names: words, log: true, tall: 150, series: [...ghost(trained.felt), { name: `‖∂L/∂${gated.state}‖`, kind: "back", values: felt }],
      label: `How much of the error is felt at each word, logarithmic; at the first ${shown(felt[0])}` });
    const after = forgottenAfter(felt);
    const left = felt[0] / felt.at(-1);
    figure.say(element("i", {}, layer.symbol), " is open ", told(mean(openings), percent(mean(openings))), ". The error is ",
      ...(after === null ? ["still felt at the first step: ", told(left, percent(left)), " of it is left"] : ["forgotten after ", told(after, spoken(after, "step"))]),
      ". ", element("i", {}, "L"), " is ", told(loss), isTrained ? "" : `, as trained ${shown(trained.loss)}`, ": ", word(given.target), " is expected at ", told(gated.probability, percent(gated.probability)), ".");
  }

  figure.range.addEventListener("input", () => { moved = true; show(); });
  for (const radio of radios) radio.addEventListener("change", show);
  reset.addEventListener("click", () => {
    moved = false;
    if (bias) figure.range.value = learned;
    for (const radio of radios) radio.checked = radio.value === "";
    show();
  });
  showing(show);
})();
