/* One figure of the panel: heading, explanation, toolbar, live Plotly graph, cursor line and read-out.
 * Plotly keeps an axis' pixel position in `_fullLayout`; only FigureBox.axis(), reveal() and showValues() look there.
 */
const withGaps = (trace) => (trace.y?.includes?.(-Infinity)
  ? { ...trace, y: trace.y.map((value) => (value === -Infinity ? NaN : value)) } : trace);
const DASHES = { dash: "8 4", dot: "3 3", dashdot: "8 3 3 3", longdash: "13 4", longdashdot: "12 3 3 3" };

class FigureBox {
  constructor(panel, id) {
    this.panel = panel;
    this.id = id;
    this.muted = new Set(); // names of curves switched off in the read-out
    this.overrides = new Map(); // trace index -> {x?, y?}: what the scrub bar has swapped in
    this.late = []; // SVG elements hidden until the hand rests
    this.layout = null; // parts of the layout that belong to what was swapped in
    this.view = null; // trace index -> settings that belong to it
    const tool = (name, label, click, className = "") =>
      element("button", { type: "button", innerHTML: name, title: label, className, onclick: click, aria: { label } });
    this.title = element("h3", { className: "gx-title" });
    this.info = tool("i", "Explain this figure", () => this.toggleInfo(), "gx-info");
    this.tools = element("div", { className: "gx-tools", aria: { role: "toolbar", label: "Figure tools" } },
      tool("PNG", "Download as PNG", () => saveImage(this, "png")),
      tool("SVG", "Download as SVG", () => saveImage(this, "svg"), "gx-wide"),
      tool("CSV", "Download the numbers as CSV", () => saveCsv(this)),
      tool(ENLARGE, "Enlarge", () => this.enlarge(), "gx-wide gx-enlarge"));
    this.explain = element("p", { className: "gx-explain", hidden: true });
    this.extra = element("div", { className: "gx-extra" });
    this.readout = element("div", { className: "gx-readout", hidden: true });
    this.graph = element("div", { className: "gx-graph" });
    this.flag = element("span", { className: "gx-flag" });
    this.line = element("div", { className: "gx-line", hidden: true }, this.flag);
    this.error = element("p", { className: "gx-error", hidden: true, aria: { role: "alert" } });
    this.plot = element("div", { className: "gx-plot" }, this.graph, this.line, this.error);
    this.window = element("div", { className: "gx-window" }, this.plot);
    this.node = element("section", { className: "gx-box", dataset: { figure: id } },
      element("header", { className: "gx-head" }, this.title, this.info, this.tools),
      this.explain, this.extra, this.readout, this.window);
    this.listen();
  }

  listen() {
    const { plot, line } = this;
    let down = null;
    plot.addEventListener("pointerdown", (event) => {
      const onPlot = this.shows(event) && !event.target.closest(".legend, .gx-line");
      down = event.button === 0 && onPlot ? [event.clientX, event.clientY] : null;
      if (!down) return;
      // Plotly covers the page while a button is down, so the release is only seen by the window.
      addEventListener("pointerup", (up) => {
        if (!down || Math.hypot(up.clientX - down[0], up.clientY - down[1]) > 4) return;
        this.panel.root.focus({ preventScroll: true });
        this.panel.moveCursor(this.stepAt(up));
      }, { once: true, capture: true, signal: this.panel.gone.signal });
    }, { capture: true });
    line.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      line.setPointerCapture(event.pointerId);
      (this.main ? this.flag : this.panel.root).focus({ preventScroll: true });
    });
    line.addEventListener("pointermove", (event) => {
      if (line.hasPointerCapture(event.pointerId)) this.panel.moveCursor(this.stepAt(event));
    });
    this.sized = new ResizeObserver(() => {
      if (this.figure && (plot.clientWidth !== this.size?.[0] || plot.clientHeight !== this.size?.[1])) this.render();
    });
    this.sized.observe(plot);
    this.seen = new IntersectionObserver((entries) => {
      if (this.waiting && entries.some((entry) => entry.isIntersecting)) this.draw(...this.waiting);
    }, { rootMargin: "150px" });
    this.seen.observe(this.node);
  }

  /** 0: at least a third of it is in the window; 1: some of it is, or almost; 2: it is out of sight. */
  distance() {
    const { top, bottom, height } = this.node.getBoundingClientRect();
    if (Math.min(bottom, innerHeight) - Math.max(top, 0) >= height / 3) return 0;
    return top < innerHeight + 150 && bottom > -150 ? 1 : 2;
  }

  /** Out of sight: drawn when it comes into view; only the newest picture waits. */
  drawLater(spec, packet) {
    this.waiting = [spec, packet];
  }

  describe(spec) {
    const { main } = spec;
    Object.assign(this, { timeAxis: spec.time_axis, main, link: spec.link });
    this.node.classList.toggle("gx-linked", Boolean(spec.link));
    this.title.textContent = spec.title;
    this.explain.textContent = spec.explain;
    this.info.title = spec.explain.split("\n")[0];
    this.node.setAttribute("aria-label", spec.title);
    this.node.style.setProperty("--gx-span", spec.span);
    this.node.style.setProperty("--gx-rows", spec.rows);
    this.node.classList.toggle("gx-half", spec.span < 8);
    const whole = spec.fill && innerWidth >= 600;
    this.plot.style.minHeight = whole ? `max(${spec.height}px, 100vh - ${spec.fill}rem)` : `${spec.height}px`;
    this.plot.style.minWidth = `${spec.wide}px`;
    this.node.classList.toggle("gx-wider", spec.wide > 0);
    this.graph.setAttribute("role", "img");
    this.graph.setAttribute("aria-label", spec.alt || this.info.title || spec.title);
    this.readout.hidden = this.flag.hidden = !main;
    if (main) {
      this.flag.tabIndex = 0;
      for (const [name, value] of [["role", "slider"], ["aria-label", "Time step"], ["aria-valuemin", 0]]) this.flag.setAttribute(name, value);
    }
  }

  /** Draw what the server sent, unless this very picture already stands there. */
  draw(spec, packet) {
    this.waiting = null;
    const { theme, scrubbing } = this.panel;
    const swapped = (this.overrides.size > 0 || this.layout) && !scrubbing;
    if (spec.hash === this.hash && theme === this.theme && !swapped) return this.place();
    try {
      if (swapped) {
        this.overrides = new Map();
        this.layout = this.view = null;
      }
      this.figure = revive(spec.spec, packet.buffer, packet.start + spec.base, theme);
      this.revision = `${this.id}:${packet.header.num_steps}`;
      this.hash = spec.hash;
      this.theme = theme;
    } catch (problem) {
      return this.fail(problem);
    }
    return this.render();
  }

  /** Put other numbers into some traces; a full drawing follows when the hand rests. */
  swap(changes, layout = null, view = null) {
    const range = (some) => JSON.stringify(some?.yaxis?.range);
    const turned = range(layout ?? this.figure?.layout) !== range(this.layout ?? this.figure?.layout);
    Object.assign(this, { overrides: changes, layout, view });
    clearTimeout(this.settle);
    if (!this.figure) return null;
    if (turned || !changes.size || !this.shift(changes)) return this.render();
    this.settle = setTimeout(() => this.render(), 120);
    return this.place();
  }

  /** The cheap way to swap, where there is one; what cannot be moved is hidden until the hand rests. */
  shift(changes) {
    const found = motion(this.graph, changes);
    if (!found) return false;
    for (const [node, name, value] of found.moves) node.setAttribute(name, value);
    for (const node of found.late) node.style.visibility = "hidden";
    this.late.push(...found.late);
    for (const [index, change] of changes) Object.assign(this.graph.data[index], change);
    return true;
  }

  async render() {
    const { Plotly } = this.panel;
    const narrow = innerWidth < 600;
    clearTimeout(this.settle);
    for (const node of this.late.splice(0)) node.style.visibility = "";
    this.size = [this.plot.clientWidth, this.plot.clientHeight];
    try {
      const data = (this.figure.data ?? []).map((trace, index) => ({
        ...withGaps(trace), ...this.view?.[index], ...this.overrides.get(index), ...(this.muted.has(trace.name) ? { visible: "legendonly" } : {}),
      }));
      const layout = {
        uirevision: this.revision, ...structuredClone({ ...this.figure.layout, ...this.layout }), width: this.size[0], height: this.size[1],
        template: template(this.panel.theme, narrow ? 12 : 16, narrow ? 11 : 15), autosize: false,
      };
      const first = !this.graph.on;
      await Plotly.react(this.graph, data, layout, CONFIG);
      if (first) {
        for (const name of ["plotly_afterplot", "plotly_relayouting"]) this.graph.on(name, () => this.place());
        this.graph.on("plotly_click", ({ points }) => this.follow(points[0]));
      }
      this.error.hidden = true;
      this.graph.hidden = false;
      this.place();
    } catch (problem) {
      this.fail(problem);
    }
  }

  /** A point of a map of settings is a link to the page that shows these settings. */
  follow({ x, y }) {
    if (!this.link) return;
    const address = new URL(".", document.baseURI);
    address.search = this.link.query;
    for (const [name, value] of [[this.link.x, x], [this.link.y, y]]) address.searchParams.set(name, value);
    location.assign(address);
  }

  /** Scroll a plot that is wider than its window, such that this place of its x axis is in sight. */
  reveal(x) {
    const axis = this.graph._fullLayout?.xaxis;
    const { clientWidth: seen, scrollWidth: whole } = this.window;
    if (axis && whole > seen) this.window.scrollLeft = axis._offset + axis.d2p(x) - 0.6 * seen;
  }

  fail(problem) {
    this.hash = null;
    this.graph.hidden = this.line.hidden = true;
    this.error.hidden = false;
    this.error.textContent = `This figure could not be drawn: ${problem?.message ?? problem}`;
  }

  // ---- cursor

  axis() {
    const full = this.graph._fullLayout;
    return this.timeAxis && full?.xaxis?.visible ? { x: full.xaxis, top: full._size.t, height: full._size.h } : null;
  }

  shows(event) {
    const axis = this.axis();
    if (!axis) return false;
    const box = this.plot.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left - axis.x._offset, event.clientY - box.top - axis.top];
    return left >= 0 && left <= axis.x._length && top >= 0 && top <= axis.height;
  }

  stepAt(event) {
    const { x } = this.axis();
    return Math.round(x.p2d(event.clientX - this.plot.getBoundingClientRect().left - x._offset));
  }

  place() {
    const axis = this.axis();
    const step = this.panel.cursor;
    const left = axis ? axis.x.d2p(step) : NaN;
    const inside = left >= -1 && left <= axis?.x._length + 1;
    this.line.hidden = !inside;
    if (inside) {
      this.line.style.transform = `translateX(${axis.x._offset + left}px)`;
      this.line.style.top = `${axis.top}px`;
      this.line.style.height = `${axis.height}px`;
    }
    if (this.main && axis) this.showValues(step);
  }

  /** The read-out: every named curve's value at the cursor; without a Plotly legend it is the legend, too. */
  showValues(step) {
    const curves = (this.graph._fullData ?? []).filter((trace) => trace.visible && trace.mode?.includes("lines") && trace._input?.name);
    const legend = this.graph._fullLayout.showlegend;
    const look = JSON.stringify([legend, curves.map(({ name, line, visible }) => [name, line?.color, line?.dash, visible])]);
    if (look !== this.look) {
      this.look = look;
      this.chips = curves.map((trace) => this.chip(trace, !legend));
      this.clock = element("b");
      this.readout.replaceChildren(this.clock, ...this.chips.map(([chip]) => chip));
    }
    const said = curves.map((trace, index) => {
      const { x } = trace._input;
      const y = this.numbers(trace.index);
      const value = formatValue(y?.[x ? x.indexOf(step) : step - (trace.x0 ?? 0)], trace.meta === "decades");
      this.chips[index][1].textContent = value;
      return `${trace.name} ${value}`;
    });
    this.clock.textContent = `t = ${step}`;
    this.flag.textContent = step;
    for (const [name, value] of [["now", step], ["max", this.panel.numSteps], ["text", `step ${step}: ${said.join(", ")}`]]) {
      this.flag.setAttribute(`aria-value${name}`, value);
    }
  }

  /** A trace's y as it was sent; what is drawn has gaps where it is −∞. */
  numbers(index) {
    return this.overrides.get(index)?.y ?? this.figure.data[index].y;
  }

  chip({ name, line, visible }, named) {
    const label = plainText(name);
    const value = element("b");
    const node = element(named ? "button" : "span", { className: "gx-chip", title: label });
    node.innerHTML = `<svg viewBox="0 0 28 4" aria-hidden="true"><path d="M0 2h28" stroke-dasharray="${DASHES[line.dash] ?? ""}"/></svg>`;
    node.firstChild.style.stroke = line.color;
    node.append(named ? label : "", value);
    if (named) {
      node.type = "button";
      node.setAttribute("aria-pressed", visible === true);
      node.onclick = () => {
        if (!this.muted.delete(name)) this.muted.add(name);
        this.render();
      };
    }
    return [node, value];
  }

  // ---- toolbar

  toggleInfo(show = this.explain.hidden) {
    this.explain.hidden = !show;
    this.info.setAttribute("aria-expanded", show);
  }

  /** The browser's top layer lifts the box over sidebar and header; Escape or a click outside closes it. */
  enlarge() {
    if (this.node.popover) return this.node.hidePopover();
    this.gap = element("div", { className: this.node.className });
    this.gap.style.cssText = `${this.node.style.cssText};height:${this.node.offsetHeight}px;visibility:hidden`;
    this.node.after(this.gap);
    this.node.popover = "auto";
    this.node.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      this.node.removeAttribute("popover");
      this.closeGap();
    });
    this.node.showPopover();
  }

  closeGap() {
    this.gap?.remove();
    this.gap = null;
  }

  /** The last element of this figure in the grid. */
  get end() {
    return this.gap ?? this.node;
  }

  dispose() {
    clearTimeout(this.settle);
    this.closeGap();
    this.sized.disconnect();
    this.seen.disconnect();
    if (this.graph.on) this.panel.Plotly?.purge(this.graph);
    this.node.remove();
  }
}
