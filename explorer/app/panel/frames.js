/* Invisible: hands the bytes of a computed knob range to the panel with the same key (see panel.js). */
const shared = (globalThis[Symbol.for("gradient-explorer.panel")] ??= {
  frames: new Map(), arrived: new EventTarget(), plotly: null,
});

export default function mountFrames({ data, parentElement }) {
  if (!data) return undefined;
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const { panel } = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  parentElement.closest('[data-testid="stElementContainer"]')?.style.setProperty("display", "none");
  shared.frames.set(panel, data);
  shared.arrived.dispatchEvent(new CustomEvent("frames", { detail: panel }));
  return () => {
    if (shared.frames.get(panel) === data) shared.frames.delete(panel);
  };
}
