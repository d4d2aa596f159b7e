// How far each box of the picture is full: forward once it is computed, backward as its gradient arrives.

const SHAPES = "path, polygon, ellipse";

/** Let a box be an outline, with the same shape in it, that is filled up to a level. Null of what has no colour to be filled with. */
function vessel(drawn) {
  const outline = drawn.querySelector(SHAPES);
  if (!outline || [null, "none"].includes(outline.getAttribute("fill"))) return null;
  const filled = outline.cloneNode(true);
  filled.setAttribute("class", "level");
  filled.setAttribute("aria-hidden", "true");
  outline.classList.add("outline");
  outline.after(filled);
  return filled;
}

/**
 * Of nodes, which part of their gradients has arrived by an event, by the number of contributions; before the walk back,
 * which part of them is computed.
 */
function levelOf(shows, event) {
  if (event.phase !== "backward") return shows.filter((number) => number <= event.position).length / shows.length;
  let [arrived, all] = [0, 0];
  for (const number of shows) {
    const node = nodes[number];
    if (node.gradient === null) continue;
    arrived += arrivedBy(node, event);
    all += node.arrivals.length;
  }
  return all ? arrived / all : 0;
}

function fill(box, level) {
  if (!box.filled || box.level === level) return;
  box.filled.style.setProperty("--level", String(level));
  box.level = level;
}
