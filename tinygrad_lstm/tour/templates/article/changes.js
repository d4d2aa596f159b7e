// Adding a little, rewriting it all: how much of each state is another after each word.

(() => {
  const figure = figureOf("changes");
  const [ours, theirs] = [gated.changes, plain.changes];
  const both = [[gated, ours, ".gated"], [plain, theirs, ".plain"]];
  const [mean, its] = [ours, theirs].map((all) => all.reduce((sum, x) => sum + x, 0) / all.length);
  const apart = ours.map((x, i) => Math.abs(x - mean) + Math.abs(theirs[i] - its));
  figure.range.value = String(apart.indexOf(Math.min(...apart)) + 1); // where both are most as they are on average
  sliding(figure.range, (t) => {
    figure.output.textContent = words[t];
    lines(figure.plot, { names: words.slice(1), low: 0, cursor: t - 1, tall: 150,
      series: [{ name: `${gated.title}, ${gated.state}`, kind: "gated", values: ours }, { name: `${plain.title}, ${plain.state}`, kind: "plain", values: theirs }],
      label: `How much of the state is another after each word; at ${words[t]} ${shown(ours[t - 1])} and ${shown(theirs[t - 1])}` });
    for (const [read, , which] of both) {
      const columns = [read.states[t - 1], read.states[t]];
      grid(figure.root.querySelector(`.pair ${which}`), { names: [words[t - 1], words[t]], columns, most: Math.max(...read.states.flatMap((state) => [...state].map(Math.abs))), tall: 128,
        label: `${read.state} of the ${read.title} before and after ${words[t]}` });
    }
    figure.say("At ", word(words[t]), ` the ${gated.title} changed by `, told(ours[t - 1]), `, the ${plain.title} by `, told(theirs[t - 1]), " of the length of what was there.");
  });
})();
