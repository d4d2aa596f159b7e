// What the network expects after each word of the text.

(() => {
  const figure = figureOf("expects");
  const body = figure.root.querySelector("tbody");
  sliding(figure.range, (count) => {
    const next = words[count] ?? given.target;
    figure.root.querySelector(".reading").replaceChildren(...words.slice(Math.max(0, count - 12), count).flatMap((each) => [word(each), " "]), "→ ?");
    body.replaceChildren(...given.expects[count - 1].map(([guess, share]) => {
      const bar = element("span", { className: "bar gated" });
      bar.style.width = `${100 * share}%`;
      const row = element("tr", { className: guess === next ? "right" : "" });
      row.append(element("th", { scope: "row" }, word(guess), guess === next ? " ✓" : ""), element("td", {}, element("span", { className: "track" }, bar)),
        element("td", { className: "number" }, told(share, percent(share))));
      return row;
    }));
    const [best] = given.expects[count - 1];
    figure.say(`After ${spoken(count, given.unit)} it expects `, word(best[0]), " at ", told(best[1], percent(best[1])), best[0] === next ? ", as in the text." : "; in the text comes ", ...(best[0] === next ? [] : [word(next), "."]));
  });
})();
