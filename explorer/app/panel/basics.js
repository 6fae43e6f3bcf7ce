/* What the panel's parts share: packets of bytes, Plotly's script, the theme, small DOM helpers.
 * basics.js, export.js, motion.js, figure.js, scrub.js and panel.js are joined in this order into one module (linked.py).
 */
const shared = (globalThis[Symbol.for("gradient-explorer.panel")] ??= {
  handed: new Map(), arrived: new EventTarget(), plotly: null,
});
const CONFIG = { displayModeBar: false, displaylogo: false, showSendToCloud: false, doubleClick: "reset" };
const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };
const ENLARGE = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M9 2h5v5M14 2 9 7M7 14H2V9M2 14l5-5"/></svg>';
const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// ---------------------------------------------------------------- packets

function decode(bytes) {
  const buffer = bytes.slice().buffer; // the copy is 8-byte aligned, the view into the message is not
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { header, buffer, start: 8 * Math.ceil((4 + length) / 8) };
}

function revive(node, buffer, start, colors) {
  if (typeof node === "string") return node.startsWith("token:") ? colors[node.slice(6)] ?? node : node;
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map((child) => revive(child, buffer, start, colors));
  if (!node.$array) {
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, revive(child, buffer, start, colors)]));
  }
  const [dtype, offset, shape] = node.$array;
  const Type = ARRAYS[dtype];
  if (shape.length === 1) return new Type(buffer, start + offset, shape[0]);
  const stride = shape[1] * Type.BYTES_PER_ELEMENT;
  return Array.from({ length: shape[0] }, (_, row) => new Type(buffer, start + offset + row * stride, shape[1]));
}

/** Load Plotly once per page. The address holds its version, so a copy in the browser's cache is always good. */
function loadPlotly(path) {
  shared.plotly ??= (async () => {
    if (globalThis.Plotly?.react) return globalThis.Plotly;
    const answer = await fetch(new URL(path, document.baseURI), { cache: "force-cache" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const url = URL.createObjectURL(new Blob([await answer.blob()], { type: "text/javascript" }));
    const script = element("script", { src: url });
    await new Promise((done, failed) => {
      Object.assign(script, { onload: done, onerror: () => failed(new Error("not a script")) });
      document.head.append(script);
    });
    URL.revokeObjectURL(url);
    if (!globalThis.Plotly?.react) throw new Error("window.Plotly is missing");
    return globalThis.Plotly;
  })();
  shared.plotly.catch(() => { shared.plotly = null; }); // the next update tries again
  return shared.plotly;
}

// ---------------------------------------------------------------- looks

function readTheme(root) {
  const style = getComputedStyle(root);
  const read = (name, fallback) => style.getPropertyValue(`--st-${name}`).trim() || fallback;
  const brush = document.createElement("canvas").getContext("2d");
  const rgb = (color) => {
    brush.fillStyle = color; // a canvas turns any CSS colour into #rrggbb
    return [1, 3, 5].map((at) => parseInt(brush.fillStyle.slice(at, at + 2), 16) || 0);
  };
  const text = rgb(read("text-color", "#222222"));
  const background = rgb(read("background-color", "#ffffff"));
  const mix = (share) => `rgb(${text.map((value, i) => Math.round(share * value + (1 - share) * background[i])).join(",")})`;
  return {
    text: mix(1), background: mix(0), muted: mix(0.68), grid: mix(0.15), zero: mix(0.4),
    primary: read("primary-color", mix(1)), font: read("font", "sans-serif"),
  };
}

function template(theme, size, legendSize) {
  const axis = {
    automargin: true, gridcolor: theme.grid, zerolinecolor: theme.zero, linecolor: theme.zero, tickcolor: theme.zero,
    ticks: "outside", ticklen: 4, title: { standoff: 6, font: { size } }, tickfont: { size },
  };
  const bar = { outlinewidth: 0, thickness: 14, tickfont: { size }, title: { font: { size } } };
  const clear = "rgba(0,0,0,0)";
  return {
    layout: {
      font: { family: theme.font, size, color: theme.text }, paper_bgcolor: clear, plot_bgcolor: clear,
      margin: { l: 4, r: 14, t: 10, b: 4 }, xaxis: axis, yaxis: axis, coloraxis: { colorbar: bar },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: clear, font: { size: legendSize } },
      hoverlabel: { bgcolor: theme.background, bordercolor: theme.zero, font: { color: theme.text, size: legendSize } },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    },
    data: { heatmap: [{ colorbar: bar }], contour: [{ colorbar: bar }], surface: [{ colorbar: bar }] },
  };
}

/** A number for people; ``decades`` says that it is a power of ten, written as 6.6·10⁻¹². */
function formatValue(value, decades = false) {
  if (value === undefined || value === null || Number.isNaN(value)) return "–";
  if (decades && value === -Infinity) return "exactly 0";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (decades && Math.abs(value) < 3) return formatValue(10 ** value);
  if (decades) {
    let power = Math.floor(value);
    let digits = (10 ** (value - power)).toFixed(1);
    if (digits === "10.0") [digits, power] = ["1.0", power + 1];
    return `${digits}·10${String(power).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;
  }
  const size = Math.abs(value);
  const text = value !== 0 && (size >= 1e4 || size < 1e-3) ? value.toExponential(2) : value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  return text.replace("-", "−");
}

/** What Plotly shows of a name, without its tags. */
function plainText(name) {
  const letters = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return name.replaceAll("<sub>t</sub>", "ₜ").replace(/<[^>]*>/g, "").replace(/&(lt|gt|amp);/g, (code) => letters[code]);
}

function element(tag, properties = {}, ...children) {
  const { aria = {}, dataset = {}, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(aria)) node.setAttribute(name === "role" ? name : `aria-${name}`, value);
  Object.assign(node.dataset, dataset);
  node.append(...children);
  return node;
}
