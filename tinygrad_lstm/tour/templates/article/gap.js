// Near and far: how often networks of each kind are right at each gap.

(() => {
  const figure = figureOf("gap");
  const KINDS = [["RNN", "plain"], ["LSTM", "gated"]];
  const score = (each, kind) => mean(each.scores[kind]);
  sliding(figure.range, (at) => {
    const now = given.gaps[at];
    figure.output.textContent = `${now.gap} steps`;
    figure.root.querySelector(".letters").replaceChildren(...[...now.example].map((letter, t) => element("span", { className: t ? "" : "asked" }, letter)), element("span", { className: "question" }, "?"));
    const series = KINDS.map(([name, kind]) => ({ name, kind, values: given.gaps.map((each) => 100 * score(each, name)) }));
    const chart = lines(figure.plot, { names: given.gaps.map(({ gap }) => String(gap)), series, low: 40, high: 100, cursor: at, unit: " %",
      label: `Right answers over the gap: at ${now.gap} steps the RNNs ${percent(score(now, "RNN"))}, the LSTMs ${percent(score(now, "LSTM"))}` });
    for (const [name, kind] of KINDS) {
      given.gaps.forEach((each, t) => each.scores[name].forEach((x, k) => {
        chart.svg.append(drawn("circle", { cx: chart.at(t) + (kind === "gated" ? 7 : -7) + (k - 1.5) * 2, cy: chart.up(Math.max(40, 100 * x)), r: 2.6, class: `one ${kind}` }));
      }));
    }
    const solved = (name) => now.scores[name].filter((x) => x >= 0.985).length;
    figure.say(`Over ${now.gap} steps the RNNs are right `, told(score(now, "RNN"), percent(score(now, "RNN"))), " of the time, the LSTMs ", told(score(now, "LSTM"), percent(score(now, "LSTM"))),
      ". Each small dot is one network; who guesses is right half the time.");
  });
})();
