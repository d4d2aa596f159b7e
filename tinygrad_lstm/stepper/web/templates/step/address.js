// A change in the address: written there, and read from what somebody sends, which is checked.

/** What stands in the address of what was changed, empty for nothing. */
const changeInAddress = () => (change.isNothing ? "" : `&change=${encodeURIComponent(JSON.stringify(change.now))}`);

/** Tell whether something from an address is a change that can be made here. */
function fitsHere(asked) {
  const isNumber = (x) => typeof x === "number" && Number.isFinite(x);
  const isObject = (x) => typeof x === "object" && x !== null && !Array.isArray(x);
  if (!isObject(asked) || Object.keys(asked).some((key) => !Object.hasOwn(NOTHING, key))) return false;
  const { leaves = {}, weights = 1, layers = {}, cell = null, steps = null, from = null } = asked;
  if (!isObject(leaves) || !isNumber(weights) || !isObject(layers)) return false;
  if (cell !== null && !(typeof cell === "string" && Object.hasOwn(page.cells, cell))) return false;
  if (steps !== null && !(Number.isInteger(steps) && steps >= 1 && steps <= page.longest)) return false;
  if (from !== null && !Number.isInteger(from)) return false;
  const [now, other] = [[tape.cell, tape.steps], [cell ?? page.cell, steps ?? page.steps]];
  if (now.join() !== other.join()) lookAt(...other); // what there is depends on it
  const fitsLeaf = ([id, one]) => {
    const node = change.leaves.find((each) => each.id === id);
    if (!node || !isObject(one)) return false;
    const { numbers = {}, by = 1, plus = 0 } = one;
    return isNumber(by) && isNumber(plus) && isObject(numbers)
      && Object.entries(numbers).every(([place, x]) => /^\d+$/.test(place) && Number(place) < node.value.size && isNumber(x));
  };
  return Object.entries(leaves).every(fitsLeaf)
    && Object.entries(layers).every(([which, end]) => /^\d+$/.test(which) && Number(which) < tape.layers.length && (end === 0 || end === 1));
}

/** Take over what an address says. What is not about this page is refused. */
function takeChange(text) {
  let asked;
  try {
    asked = text ? JSON.parse(text) : {};
  } catch {
    throw new Refused("the address does not say what to change");
  }
  if (!fitsHere(asked)) {
    change.apply();
    throw new Refused("the address changes what is not on this page");
  }
  asked = { ...structuredClone(NOTHING), ...asked };
  if (JSON.stringify(asked) === JSON.stringify(change.now)) return;
  change.begin(null);
  change.become(asked);
}
