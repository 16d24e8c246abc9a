// Where the organizations stand in the picture: on rings around the server.

export type Place = { x: number; y: number };
export type Layout = { width: number; height: number; centre: Place; places: Place[]; radius: number; labels: boolean };

const mostLabels = 24;
const margin = { wide: 92, narrow: 52 };

// layOut places n organizations into a picture of a width.
export function layOut(n: number, width: number): Layout {
  const narrow = width < 560;
  const labels = n <= (narrow ? 8 : mostLabels);
  const height = Math.round(Math.min(Math.max(width * (narrow ? 1.2 : n > 60 ? 0.8 : 0.56), 320), n > 60 ? 760 : 560));
  const centre = { x: width / 2, y: height / 2 - (labels ? 10 : 0) };
  const rx = width / 2 - (labels ? (narrow ? margin.narrow : margin.wide) : 26);
  const ry = height / 2 - (labels ? 62 : 26);
  const places = labels ? oneRing(n, centre, rx, ry) : rings(n, centre, rx, ry);
  return { width, height, centre, places, labels, radius: labels ? (n > 12 ? 13 : 17) : n > 120 ? 5 : 8 };
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
