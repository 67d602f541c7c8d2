// The point nearest to a place. Half a million distances take milliseconds: no index is kept.

function nearestRow(points, x, y) {
  const { places, count } = points;
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < count; i += 1) {
    const across = places[2 * i] - x;
    const up = places[2 * i + 1] - y;
    const square = across * across + up * up;
    if (square < least) {
      least = square;
      best = i;
    }
  }
  return { row: best, distance: Math.sqrt(least) };
}

function rowOfPs(points, ps) {
  return points.columns.ps.codes.indexOf(ps);
}
