/* The scrub slider: swaps precomputed curves in the browser, asks the server only on release. */
class ScrubBar {
  constructor(panel, box) {
    Object.assign(this, { panel, box, frames: null, active: false, cancelled: false });
    this.name = element("span", { className: "gx-knob" });
    this.low = element("small");
    this.high = element("small");
    this.slider = element("input", { type: "range", min: 0, max: 1, step: 1, disabled: true });
    this.value = element("output", { className: "gx-value" });
    this.caption = element("span", { className: "gx-caption", aria: { live: "polite" } });
    this.button = element("button", { type: "button", hidden: true, onclick: () => this.play(!this.playing) });
    this.node = element("div", { className: "gx-scrub" }, this.button,
      element("label", {}, this.name, this.low, this.slider, this.high), this.value, this.caption);
    this.slider.addEventListener("input", (event) => this.drag(event.timeStamp));
    this.slider.addEventListener("change", () => this.release());
    this.slider.addEventListener("pointerdown", () => {
      this.pause();
      this.pointer = true;
      if (!this.active && this.frames?.layout) this.box.swap(new Map(), this.frames.layout); // the axis of all frames
    });
    // Back at its starting place the slider fires no change; after Escape the release only ends the gesture.
    this.slider.addEventListener("pointerup", () => setTimeout(() => {
      this.release();
      this.pointer = false;
    }));
    this.slider.addEventListener("keydown", (event) => {
      this.pause();
      if (event.key !== "Escape" || !this.active) return;
      event.stopPropagation();
      this.cancel();
    });
    box.extra.append(this.node);
  }

  /** The server's word: which knob, where it stands, and for which picture frames are valid. */
  update({ knob, value, revision, hint, beat }) {
    if (revision !== this.revision) this.frames = null;
    Object.assign(this, { knobValue: value, revision, hint, beat });
    this.button.hidden = !beat;
    this.node.classList.toggle("gx-plays", beat > 0);
    this.name.textContent = knob;
    this.slider.setAttribute("aria-label", knob);
    const bytes = shared.handed.get(`frames:${this.panel.key}`);
    if (!this.frames && bytes) this.receive(bytes);
    if (!this.active || !this.frames) this.rest();
  }

  receive(bytes) {
    this.newer = this.active && this.frames ? bytes : null; // more values must not move the slider under the hand
    if (this.newer) return;
    const packet = decode(bytes);
    if (packet.header.revision !== this.revision) return;
    this.frames = revive(packet.header, packet.buffer, packet.start, this.panel.theme ?? {});
    const { values } = this.frames;
    const step = Math.min(...Array.from(values.subarray(1), (value, i) => Math.abs(value - values[i])));
    const digits = Math.ceil(-Math.log10(step || 1) - 1e-9);
    const rest = step * 10 ** digits;
    this.digits = clamp(Math.abs(rest - Math.round(rest)) > 1e-6 ? digits + 1 : digits, 0, 4); // 0.025 needs three
    this.slider.max = values.length - 1;
    this.low.textContent = this.print(values[0]);
    this.high.textContent = this.print(values.at(-1));
    if (!this.active) this.rest();
  }

  print(value) {
    return value.toFixed(this.digits ?? (Number.isInteger(value) ? 0 : 2)).replace("-", "−");
  }

  /** The slider stands where the server says. */
  rest() {
    clearTimeout(this.timer);
    this.pause();
    Object.assign(this, { active: false, cancelled: false });
    this.panel.scrubbing = false;
    if (this.newer) this.receive(this.newer);
    this.slider.disabled = this.button.disabled = !this.frames;
    this.value.textContent = this.print(this.knobValue);
    this.caption.textContent = this.frames ? "" : this.hint;
    if (!this.frames) return;
    const distance = this.frames.values.map((value) => Math.abs(value - this.knobValue));
    this.slider.value = distance.indexOf(Math.min(...distance));
    this.setText();
  }

  setText() {
    this.slider.setAttribute("aria-valuetext", `${this.value.textContent} ${this.caption.textContent}`);
  }

  async drag(since) {
    if (this.cancelled) return;
    this.active = this.panel.scrubbing = true;
    clearTimeout(this.timer);
    this.since ??= since;
    if (this.drawing) return; // the running frame picks up the newest position when it is done
    this.drawing = true;
    for (let drawn = -1; this.active && drawn !== Number(this.slider.value);) {
      drawn = Number(this.slider.value);
      const began = this.since ?? performance.now();
      this.since = null;
      await this.show(drawn);
      await nextFrame();
      const log = (window.__scrubFrames ??= []);
      log.push(performance.now() - began);
      if (log.length > 600) log.shift();
    }
    this.drawing = false;
  }

  /** One value after the other, from the first one if it stands at the last; the last one is released. */
  play(on) {
    this.pause();
    if (!on) return this.release();
    const last = Number(this.slider.max);
    const go = (place) => {
      this.slider.value = place;
      this.drag(performance.now());
    };
    go(Number(this.slider.value) === last ? 0 : Number(this.slider.value) + 1);
    this.playing = setInterval(() => {
      if (Number(this.slider.value) < last) return go(Number(this.slider.value) + 1);
      this.pause();
      return this.release();
    }, this.beat);
    return this.label();
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    this.label();
  }

  label() {
    const said = this.playing ? "Pause" : "Play";
    Object.assign(this.button, { textContent: this.playing ? "❚❚" : "▶", title: said });
    this.button.setAttribute("aria-label", said);
  }

  async show(index) {
    const { values, tracks, figures, scales, captions, layout, pictures, views, view_of: viewOf } = this.frames;
    const whole = pictures[index];
    const at = (parts) => new Map(Object.entries(parts).map(([trace, rows]) => (
      [Number(trace), rows.x ? { x: rows.x[index], y: rows.y[index] } : { y: rows[index] }])));
    this.value.textContent = this.print(values[index]);
    this.caption.textContent = captions?.[index] ?? "";
    this.setText();
    const drawn = [this.box.swap(at(tracks), whole?.layout ?? layout, whole?.data ?? views[viewOf[index]])];
    for (const [id, parts] of Object.entries(figures)) drawn.push(this.panel.boxes.get(id)?.swap(at(parts)));
    for (const [id, { trace, x, y }] of Object.entries(scales ?? {})) {
      const stretch = (base) => base.map((part) => part * values[index]);
      drawn.push(this.panel.boxes.get(id)?.swap(new Map([[trace, { x: stretch(x), y: stretch(y) }]])));
    }
    await Promise.all(drawn);
    this.box.reveal(values[index]);
  }

  release() {
    if (this.cancelled || !this.active) return this.cancelled && this.rest();
    const commit = () => {
      this.active = this.panel.scrubbing = false;
      const value = this.frames.values[Number(this.slider.value)];
      this.panel.mount.setTriggerValue("commit", value);
    };
    clearTimeout(this.timer);
    if (this.pointer) commit();
    else this.timer = setTimeout(commit, 350); // a held arrow key fires a change per step
  }

  cancel() {
    this.rest();
    this.cancelled = this.pointer ?? false; // what the still pressed pointer says is ignored until its release
    for (const box of this.panel.boxes.values()) if (box.overrides.size || box.view) box.swap(new Map());
  }

  dispose() {
    clearTimeout(this.timer);
    this.pause();
    this.panel.scrubbing = this.active = false;
    this.node.remove();
  }
}
