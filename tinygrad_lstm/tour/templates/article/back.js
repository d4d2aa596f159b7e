// How the error travels back: what is left of it at each word, in both networks.

(() => {
  const figure = figureOf("back");
  const rows = figure.root.querySelector(".compare");
  const both = [[gated, "gated"], [plain, "plain"]].map(([read, kind]) => ({ read, kind, felt: read.felt }));
  sliding(figure.range, (back) => {
    const t = T - 1 - back;
    figure.output.textContent = back ? `${back} back, ${words[t]}` : "at the end";
    lines(figure.plot, { names: words, log: true, cursor: t, series: both.map(({ read, kind, felt }) => ({ name: `${read.title}, ‖∂L/∂${read.state}‖`, kind, values: felt })),
      label: `How much of the error is felt at each word, logarithmic; at ${words[t]}: ${both.map(({ read, felt }) => `${read.title} ${shown(felt[t])}`).join(", ")}` });
    bars(rows, both.map(({ read, kind, felt }) => ({ name: read.title, kind, value: felt[t] / felt.at(-1), text: percent(felt[t] / felt.at(-1)) })));
    figure.say(back ? `So much is left of the error, ${spoken(back, "step")} back from the end.` : "At the end each feels all of its error. Walk back.");
  });
})();
