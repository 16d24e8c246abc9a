// Where the organizations stand in the picture: on rings around the server.

export type Place = { x: number; y: number };
export type Layout = { width: number; height: number; centre: Place; places: Place[]; rooms: number[]; radius: number; labels: boolean };

const mostLabels = 18;
const margin = { wide: 92, narrow: 52 };
export const server = 30; // half the width of the server's mark
const label = 40; // the two lines of a name and a state
const edge = 10;

// layOut places n organizations into a picture of a width.
export function layOut(n: number, width: number): Layout {
  const narrow = width < 560;
  const labels = n <= (narrow ? 8 : mostLabels);
  const most = Math.round(Math.min(Math.max(width * (narrow ? 1.2 : n > 8 ? 0.8 : 0.56), 320), n > 60 ? 760 : 560));
  const radius = labels ? (n > 12 ? 13 : 17) : n > 120 ? 5 : 8;
  const rx = width / 2 - (labels ? (narrow ? margin.narrow : margin.wide) : 26);
  const ry = most / 2 - (labels ? radius + label : 16) - edge;
  const around = { x: width / 2, y: 0 };
  const places = labels ? oneRing(n, around, rx, ry) : rings(n, around, rx, ry);
  return { width, labels, radius, rooms: labels ? roomsOf(places, around, width) : [], ...cropped(places, around, radius, labels ? label : 0) };
}

const gap = 8; // pixels between two names
const lines = 31; // pixels that the two lines take

// roomsOf is how wide each name may be: up to the edge, and to the names that stand beside it.
function roomsOf(places: Place[], around: Place, width: number): number[] {
  const line = (at: Place) => at.y + (isAbove(at, around) ? -1 : 1) * label; // where its name is, more or less
  return places.map((at) => {
    const beside = places.filter((other) => other !== at && Math.abs(line(other) - line(at)) < lines).map((other) => Math.abs(other.x - at.x) - gap);
    return Math.min(2 * at.x, 2 * (width - at.x), ...beside);
  });
}

// isAbove says that a name stands above its organization, so that the way to the server does not cross it.
export const isAbove = (at: Place, centre: Place) => at.y < centre.y - 1;

// cropped is as high as what there is: two organizations beside the server take little.
function cropped(places: Place[], around: Place, radius: number, below: number) {
  const top = Math.min(-server, ...places.map((at) => at.y - radius - (isAbove(at, around) ? below : 0))) - edge;
  const bottom = Math.max(server, ...places.map((at) => at.y + radius + (isAbove(at, around) ? 0 : below))) + edge;
  return { height: Math.round(bottom - top), centre: { x: around.x, y: -top }, places: places.map(({ x, y }) => ({ x, y: y - top })) };
}

// between are the shares of the way at which it leaves the server and reaches the organization.
export function between(centre: Place, to: Place, radius: number): [from: number, till: number] {
  const [dx, dy] = [Math.abs(to.x - centre.x), Math.abs(to.y - centre.y)];
  const length = Math.hypot(dx, dy);
  const out = (server / Math.max(dx, dy, 1)) + 9 / length;
  return [Math.min(out, 1), Math.max(1 - (radius + 9) / length, Math.min(out, 1))];
}

// oneRing has every second one a little further in when they are many, so that labels do not touch.
function oneRing(n: number, centre: Place, rx: number, ry: number): Place[] {
  return Array.from({ length: n }, (_, i) => on(centre, rx, ry, (i / n + (n === 2 ? 0.25 : 0)) * 2 * Math.PI, n > 10 && i % 2 === 1 ? 0.66 : 1));
}

// rings fills from the outside to the inside, each ring with as many as its length takes.
function rings(n: number, centre: Place, rx: number, ry: number): Place[] {
  const count = Math.max(1, Math.ceil(Math.sqrt(n / 12)));
  const shares = Array.from({ length: count }, (_, i) => 1 - (i * 0.68) / count);
  const whole = shares.reduce((a, b) => a + b, 0);
  const places: Place[] = [];
  for (const [ring, share] of shares.entries()) {
    const left = n - places.length;
    const size = ring === count - 1 ? left : Math.min(left, Math.round((n * share) / whole));
    for (let i = 0; i < size; i++) places.push(on(centre, rx, ry, ((i + ring / 2) / size) * 2 * Math.PI, share));
  }
  return places;
}

const on = (centre: Place, rx: number, ry: number, angle: number, share: number): Place => ({
  x: centre.x + rx * share * Math.sin(angle),
  y: centre.y - ry * share * Math.cos(angle),
});
