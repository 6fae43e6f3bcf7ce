/* What a reader takes away from a figure: images and the numbers drawn. */
const cell = (value) => (typeof value === "string" ? (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  : value === Infinity ? "inf" : value === -Infinity ? "-inf" : Number.isNaN(value) ? "nan" : value ?? "");

function save(box, url, format) {
  element("a", { href: url, download: `gradient-explorer-${box.id}.${format}` }).click();
}

async function saveImage(box, format) {
  const { theme, Plotly } = box.panel;
  const layout = structuredClone(box.graph.layout);
  const title = { text: box.title.textContent, x: 0.02, xanchor: "left", y: 0.97, yanchor: "top", yref: "container", font: { size: 28 } };
  Object.assign(layout, {
    // An image cannot reach the page's web font, so it is measured and drawn in a common one.
    template: template({ ...theme, font: "Arial, Helvetica, sans-serif" }, 20, 18), title, paper_bgcolor: theme.background,
    plot_bgcolor: theme.background, showlegend: box.main ? true : layout.showlegend,
    margin: { ...layout.margin, t: 110, l: 30, r: 40, b: 30 },
  });
  const options = { format, width: 1280, height: 720 };
  save(box, await Plotly.toImage({ data: box.graph.data, layout, config: CONFIG }, options), format);
}

/** One row for every number: its curve and its coordinates; the header names the quantities and their units. */
function saveCsv(box) {
  const rows = [];
  const traces = box.graph.data ?? [];
  const depth = traces.some((trace) => trace.z) ? 3 : 2;
  traces.forEach((trace, index) => {
    const name = plainText(trace.name ?? `trace ${index}`);
    const add = (...values) => rows.push([name, ...values].slice(0, depth + 1).map(cell).join(","));
    const { x, z } = trace;
    const y = box.numbers(index) ?? trace.y;
    if (z?.[0]?.length !== undefined) {
      z.forEach((row, i) => row.forEach((value, j) => add(x?.[i]?.length === undefined ? x?.[j] ?? j : x[i][j],
        y?.[i]?.length === undefined ? y?.[i] ?? i : y[i][j], value)));
    } else {
      for (let i = 0; i < (y ?? x ?? []).length; i += 1) add(x ? x[i] : i, y ? y[i] : i, z ? z[i] : "");
    }
  });
  const said = box.figure.layout?.meta ?? {};
  const header = ["trace", said.x ?? "x", said.y ?? "y", said.z ?? "z"].slice(0, depth + 1).map(cell).join(",");
  const url = URL.createObjectURL(new Blob([`${[header, ...rows].join("\n")}\n`], { type: "text/csv" }));
  save(box, url, "csv");
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
