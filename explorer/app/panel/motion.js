/* Swapped curves without a new drawing: SVG elements are moved, about 20 times cheaper than Plotly.react. */
const drawLine = (pixels) => pixels.map(([x, y], i) => (
  Number.isNaN(x + y) ? "" : `${Number.isFinite(pixels[i - 1]?.[1]) ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`)).join("");

/** Attributes to set for lines and markers, and what else was swapped (bands, bars); null where nothing can be moved so. */
function motion({ calcdata, data, _fullData: full, _fullLayout: layout }, changes) {
  const moves = [];
  const late = [];
  for (const [index, change] of changes) {
    const trace = full?.[index];
    const drawn = calcdata?.[index]?.[0];
    const node = drawn?.node3?.node?.();
    const [x, y] = ["x", "y"].map((name) => layout?.[trace?.[`${name}axis`]?.replace(name, `${name}axis`)]);
    const plain = trace?.type === "scatter" && ["lines", "markers"].includes(trace.mode) && (trace.fill ?? "none") === "none";
    if (!trace || !x || !y || x.autorange || y.autorange) return null;
    if (trace.visible !== true) continue;
    if (!plain) {
      late.push(...[node, drawn?.trace?._ownFill?.node?.(), drawn?.trace?._nextFill?.node?.()].filter(Boolean));
      continue;
    }
    const pixels = Array.from(change.y, (value, i) => [x.d2p((change.x ?? data[index].x)?.[i] ?? i), clamp(y.d2p(value), -1e5, 1e5)]);
    const line = node?.querySelector("path.js-line");
    const points = node?.querySelectorAll("path.point");
    if (trace.mode === "lines" && line && (trace.line.shape ?? "linear") === "linear") {
      moves.push([line, "d", drawLine(pixels)]);
    } else if (trace.mode === "markers" && points?.length === pixels.length && pixels.every(([px, py]) => Number.isFinite(px + py))) {
      points.forEach((point, i) => moves.push([point, "transform", `translate(${pixels[i]})`]));
    } else {
      return null;
    }
  }
  return moves.length ? { moves, late } : null;
}
