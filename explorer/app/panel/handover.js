/* Invisible: hands bytes to the panel with the same key: figures that follow its first ones ("later"), or the
 * curves of a knob's whole range ("frames"). See panel.js.
 */
const shared = (globalThis[Symbol.for("gradient-explorer.panel")] ??= {
  handed: new Map(), arrived: new EventTarget(), plotly: null,
});

export default function mountHandover({ data, parentElement }) {
  if (!data) return undefined;
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const { panel, kind } = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  const place = `${kind}:${panel}`;
  parentElement.closest('[data-testid="stElementContainer"]')?.style.setProperty("display", "none");
  shared.handed.set(place, data);
  shared.arrived.dispatchEvent(new CustomEvent(kind, { detail: panel }));
  return () => {
    if (shared.handed.get(place) === data) shared.handed.delete(place);
  };
}
