// The belt: what it holds after each word, and what a step leaves of it before it adds.

/** Light the parts of a picture that belong to something; all of it where there is nothing to light. */
function light(root, what) {
  const ids = new Set(given.lit[what] ?? []);
  root.classList.toggle("focus", ids.size > 0);
  for (const each of root.querySelectorAll("[data-id]")) each.classList.toggle("lit", ids.has(each.dataset.id));
}

(() => {
  const figure = figureOf("belt");
  const picture = figure.root.querySelector(".picture");
  if (picture) light(picture, "belt");
  const most = Math.max(...gated.states.flatMap((state) => [...state].map(Math.abs)));
  sliding(figure.range, (t) => {
    const { states } = gated;
    figure.output.textContent = words[t];
    grid(figure.plot, { names: words, columns: states, most, cursor: t, label: `${gated.state} after each word, ${states[0].length} numbers; after ${words[t]} its length is ${shown(norm(states[t]))}` });
    const sizes = (gated.ways[t] ?? []).map((number) => norm(gated.network.values[number].data));
    const before = t ? norm(states[t - 1]) : 0;
    const parts = [`At `, word(words[t]), `: ‖${gated.state}‖ comes in as `, told(before)];
    if (sizes.length > 1 && before) parts.push(", ", told(sizes[0]), " of it is kept");
    figure.say(...parts, ", and leaves as ", told(norm(states[t])), ".");
  });
})();
