/* The linked figure panel: one live Plotly graph per figure, one time cursor over all of them.
 *
 * Streamlit calls the default export after every script run with one packet of bytes (see packet.py):
 * a JSON header followed by the arrays. It places all figures and brings the first ones; the others follow
 * in a packet of their own (handover.js), so that the picture in sight need not wait for them. A Panel belongs to one mount point and survives reruns;
 * a FigureBox owns one figure; a ScrubBar swaps precomputed curves without asking the server.
 */
const panels = new WeakMap();

class Panel {
  constructor(parent) {
    Object.assign(this, { boxes: new Map(), cursor: 0, numSteps: 1, gone: new AbortController() });
    this.root = element("div", { className: "gx-panel", tabIndex: -1, aria: { role: "group", label: "Linked figures; arrow keys move the time cursor" } });
    this.note = element("p", { className: "gx-error", hidden: true, aria: { role: "alert" } });
    this.grid = element("div", { className: "gx-grid" });
    this.root.append(this.note, this.grid);
    parent.append(this.root);
    const { signal } = this.gone;
    this.root.addEventListener("keydown", (event) => this.key_(event), { signal });
    for (const hand of ["pointerdown", "keydown"]) {
      document.addEventListener(hand, () => this.token && this.rest(this.token), { signal, capture: true });
    }
    shared.arrived.addEventListener("frames", ({ detail }) => {
      if (detail === this.key) this.scrub?.receive(shared.handed.get(`frames:${detail}`));
    }, { signal });
    shared.arrived.addEventListener("later", ({ detail }) => detail === this.key && this.work(), { signal });
  }

  key_(event) {
    const open = [...this.boxes.values()].filter((box) => !box.explain.hidden);
    if (event.key === "Escape") return open.forEach((box) => box.toggleInfo(false));
    if (event.target.tagName === "INPUT" || event.altKey || event.ctrlKey || event.metaKey) return;
    const stride = event.shiftKey ? 10 : 1;
    const goal = { ArrowLeft: this.cursor - stride, ArrowRight: this.cursor + stride, Home: 0, End: this.numSteps }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    this.moveCursor(goal);
  }

  moveCursor(step) {
    const goal = clamp(step, 0, this.numSteps);
    if (!Number.isFinite(goal) || goal === this.cursor) return;
    this.cursor = goal;
    for (const box of this.boxes.values()) box.place();
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      this.settle = 0;
      this.sent = this.cursor;
      this.mount.setStateValue("cursor", this.cursor);
    }, 150);
  }

  update(mount) {
    performance.mark("panel-received");
    this.mount = mount;
    this.pending = decode(mount.data);
    this.key = this.pending.header.panel;
    return this.work();
  }

  /** Draws packets until none is left; those that a newer one has overtaken are dropped. */
  async work() {
    if (this.busy || this.gone.signal.aborted) return;
    this.busy = true;
    for (let packet = this.next(); packet && !this.gone.signal.aborted; packet = this.next()) {
      try {
        this.Plotly = await loadPlotly(this.plotly ?? packet.header.plotly);
        this.note.hidden = true;
        await this.draw(packet);
      } catch (problem) {
        this.note.hidden = false;
        this.note.textContent = `The figures cannot be drawn because Plotly's script did not load (${problem.message}). Reload the page; if it stays like this, the server is not reachable.`;
      }
    }
    this.busy = false;
    await this.finish();
  }

  /** The newest first packet, else the figures that belong to the picture on the screen. */
  next() {
    const first = this.pending;
    this.pending = null;
    if (first) return first;
    const bytes = shared.handed.get(`later:${this.key}`);
    if (!bytes || bytes === this.latest) return null;
    this.latest = bytes;
    const packet = decode(bytes);
    return packet.header.picture === this.picture ? packet : null;
  }

  async draw(packet) {
    const { header } = packet;
    if (header.kind !== "later") this.begin(header);
    const boxes = header.figures.map((spec) => [this.boxes.get(spec.id), spec]).filter(([box, spec]) => box && !spec.later);
    for (const [box, spec] of boxes) {
      this.awaited.delete(spec.id);
      box.describe(spec);
    }
    // First what is looked at; what only peeks in once that is on the screen, at last what is scrolled to.
    const seen = boxes.filter(([box]) => box.distance() === 0);
    for (const [box, spec] of boxes) if (box.distance() > 0) box.drawLater(spec, packet);
    await Promise.all(seen.map(([box, spec]) => box.draw(spec, packet)));
    if (this.pending || this.gone.signal.aborted || this.painted) return; // outdated, or long since seen
    if ([...this.awaited].some((id) => this.boxes.get(id).distance() === 0)) return;
    this.painted = true;
    window.__panelPainted = (window.__panelPainted || 0) + 1;
    performance.mark("panel-painted");
  }

  /** A new picture: where everything stands. */
  begin(header) {
    clearTimeout(this.resting);
    Object.assign(this, { picture: header.picture, token: null, wanted: header.token, numSteps: header.num_steps, painted: false, latest: null });
    this.awaited = new Set(header.figures.filter((spec) => spec.later).map((spec) => spec.id));
    // The server's cursor counts once it has seen our last movement and none is under way.
    if (!this.settle && (this.sent === undefined || header.seen === null || header.seen === this.sent)) this.cursor = header.cursor;
    this.cursor = clamp(this.cursor, 0, this.numSteps);
    const theme = readTheme(this.root);
    if (JSON.stringify(theme) !== JSON.stringify(this.theme)) this.theme = theme;
    this.arrange(header);
  }

  /** After the picture: the figures that peek in, then word to the server that there is time for other work. */
  async finish() {
    await new Promise((shown) => { setTimeout(shown, 50); requestAnimationFrame(() => setTimeout(shown)); });
    if (this.busy || this.gone.signal.aborted) return; // a newer round of work ends here later
    await Promise.all([...this.boxes.values()].map((box) => box.waiting && box.distance() < 2 && box.draw(...box.waiting)));
    if (!this.busy && !this.awaited.size) this.rest(this.wanted);
  }

  /** A quarter of a second after a picture tell the server that there is time for other work.
   *
   * The message carries the state of all of Streamlit's widgets. Sent while a click is under way it would carry
   * what they showed before, and undo that click: so hands and server must rest.
   */
  rest(token) {
    clearTimeout(this.resting);
    this.token = token && token !== this.rested ? token : null;
    if (!this.token) return;
    this.resting = setTimeout(() => {
      const running = document.querySelector("[data-test-script-state=running]");
      if (running || this.scrubbing || this.settle) return this.rest(token);
      this.rested = token;
      this.token = null;
      return this.mount.setStateValue("rested", token);
    }, 250);
  }

  /** Bring boxes, their order and the scrub bar in line with the header. */
  arrange({ figures, scrub }) {
    const wanted = new Set(figures.map((spec) => spec.id));
    const home = scrub ? this.boxes.get(scrub.figure) : null;
    if (this.scrub && (!home || this.scrub.box !== home || !wanted.has(home.id))) {
      this.scrub.dispose();
      this.scrub = null;
    }
    for (const [id, box] of this.boxes) {
      if (wanted.has(id)) continue;
      box.dispose();
      this.boxes.delete(id);
    }
    figures.forEach((spec, index) => {
      if (!this.boxes.has(spec.id)) this.boxes.set(spec.id, new FigureBox(this, spec.id));
      const box = this.boxes.get(spec.id);
      if (spec.later) box.describe(spec);
      const before = index > 0 ? this.boxes.get(figures[index - 1].id).end : null;
      if (before ? before.nextElementSibling !== box.node : this.grid.firstElementChild !== box.node) {
        before ? before.after(box.node) : this.grid.prepend(box.node);
      }
    });
    if (!scrub || !wanted.has(scrub.figure)) return;
    this.scrub ??= new ScrubBar(this, this.boxes.get(scrub.figure));
    this.scrub.update(scrub);
  }

  dispose() {
    this.gone.abort();
    clearTimeout(this.settle);
    clearTimeout(this.resting);
    this.scrub?.dispose();
    for (const box of this.boxes.values()) box.dispose();
    this.root.remove();
  }
}

export default function mountPanel(mount) {
  const { parentElement } = mount;
  if (!mount.data) return undefined;
  const panel = panels.get(parentElement) ?? new Panel(parentElement);
  panels.set(parentElement, panel);
  const turn = (panel.turn = (panel.turn ?? 0) + 1);
  panel.update(mount);
  return () => {
    if (panel.turn !== turn) return; // a newer call owns the panel
    panels.delete(parentElement);
    panel.dispose();
  };
}
