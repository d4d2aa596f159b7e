// Where we are in the walk, how far one goes at a time, and where one stops.

const walk = {
  position: 0,
  grain: page.grain,
  /** Places to stop at: what each is called, and which events it is about. */
  stops: page.stops.map(([text, numbers]) => ({ text, matches: ({ position }) => isAsMade() && numbers.includes(position) })),

  get event() { return events[this.position]; },

  to(position) { this.position = Math.max(0, Math.min(position, events.length - 1)); },

  /** Past the rest of this box of the view, to the next one: to where something is seen to change. */
  pass(direction) {
    const box = ({ phase, node }) => (picture.now.boxOf.has(node) ? `${phase}/${picture.now.boxOf.get(node).place}` : null);
    const here = box(this.event);
    let position = this.position + direction;
    while (position > 0 && position < events.length - 1 && [here, null].includes(box(events[position]))) position += direction;
    this.to(position);
  },

  /** On, or back, by what is one box of the view: by one contribution where that is an operation. */
  stride(direction) {
    if (this.grain === page.grains[0] || !picture.now) this.to(this.position + direction);
    else this.pass(direction);
  },

  isStop(event) { return this.stops.some(({ matches }) => matches(event)); },

  /** To the next place to stop at, or the one before; to the end where there is none. */
  toStop(direction) {
    for (let i = this.position + direction; i >= 0 && i < events.length; i += direction) {
      if (this.isStop(events[i])) {
        this.to(i);
        return;
      }
    }
    this.to(direction > 0 ? events.length - 1 : 0);
  },

  /** Stop here from now on, or no longer; what is meant is called alike at any number of steps. */
  toggle(key, text, matches) {
    const found = this.stops.findIndex((each) => each.key === key);
    if (found < 0) this.stops.push({ key, text, matches });
    else this.stops.splice(found, 1);
  },

  toggleHere() {
    const { phase, of, slot, position } = this.event;
    const key = `${phase}/${of.id}/${slot}`;
    this.toggle(key, `event ${position}, ${of.id}`, (event) => event.phase === phase && event.slot === slot && event.of.id === of.id);
  },

  toggleTensor(node) {
    const { id } = node;
    this.toggle(`+= ${id}`, `each += to the gradient of ${named(node)}`, (event) => event.phase === "backward" && event.target.id === id);
  },

  watches(node) { return this.stops.some(({ key }) => key === `+= ${node.id}`); },

  /** The place in this walk that an event of another is at, if there is one; else where the walk back begins. */
  find({ phase, of, slot }) {
    const found = events.find((event) => event.phase === phase && event.slot === slot && event.of.id === of.id);
    return found ? found.position : seedPosition;
  },
};

/** Tell whether this is the network that Python wrote the page of, at as many steps. */
const isAsMade = () => tape.cell === page.cell && tape.steps === page.steps;

function positionOfNumber(number) {
  if (number >= events.length) throw new Refused(`the walk has events 0 to ${events.length - 1}; there is no ${number}`);
  return number;
}
