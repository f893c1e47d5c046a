// The figures as charts that can be hovered and zoomed, drawn with uPlot from the data that the printed ones are
// drawn from. Without this script, and in print, the pictures stand in their place.
"use strict";

(() => {
  const REACH = 22; // pixels within which a point is found
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [X, Y, LOW, HIGH, N, SAID, BASE, RING] = [0, 1, 2, 3, 4, 5, 6, 7];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // ---- looks ----------------------------------------------------------------------------------------------

  const polygon = (corners, turn, inner = 1) => {
    const count = inner === 1 ? corners : 2 * corners;
    const at = (i) => {
      const angle = turn + (2 * Math.PI * i) / count, radius = i % 2 && inner !== 1 ? inner : 1.1;
      return `${(radius * Math.sin(angle)).toFixed(3)} ${(-radius * Math.cos(angle)).toFixed(3)}`;
    };
    return `M${Array.from({ length: count }, (_, i) => at(i)).join("L")}Z`;
  };
  const SHAPES = { // within -1 to 1, downwards
    o: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z", s: "M-.9-.9H.9V.9H-.9Z", D: "M0-1.3L1.3 0L0 1.3L-1.3 0Z",
    d: "M0-1.3L.8 0L0 1.3L-.8 0Z", "^": "M0-1.1L1.1.9H-1.1Z", v: "M0 1.1L1.1-.9H-1.1Z", "<": "M-1.1 0L.9-1.1V1.1Z",
    ">": "M1.1 0L-.9-1.1V1.1Z", p: polygon(5, 0), h: polygon(6, 0), H: polygon(6, Math.PI / 6), 8: polygon(8, Math.PI / 8),
    "*": polygon(5, 0, 0.45), P: "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
    X: "M-1-.5L-.5-1L0-.5L.5-1L1-.5L.5 0L1 .5L.5 1L0 .5L-.5 1L-1 .5L-.5 0Z",
    x: "M-.9-.9L.9.9M-.9.9L.9-.9", "+": "M-1.1 0H1.1M0-1.1V1.1", 1: "M0 0V1.1M0 0L-1-.7M0 0L1-.7",
    2: "M0 0V-1.1M0 0L-1 .7M0 0L1 .7", _: "M-1.1 0H1.1", "|": "M0-1.1V1.1", none: "",
  };
  const LINED = "x+12_|";
  const shapeOf = (marker) => SHAPES[marker] ?? SHAPES.o;

  function luminance(colour) {
    const part = (at) => {
      const value = parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  }

  const shades = new Map();
  /** The colour as it stands out from the page: lighter where that is dark. */
  function visible(colour) {
    if (!dark.matches || !/^#[0-9a-f]{6}$/i.test(colour)) return colour;
    if (!shades.has(colour)) {
      const ground = luminance("#14181b");
      let shade = colour;
      for (let step = 1; (luminance(shade) + 0.05) / (ground + 0.05) < 4 && step <= 20; step += 1)
        shade = "#" + [1, 3, 5].map((at) => {
          const value = parseInt(colour.slice(at, at + 2), 16);
          return Math.round(value + ((255 - value) * step) / 20).toString(16).padStart(2, "0");
        }).join("");
      shades.set(colour, shade);
    }
    return shades.get(colour);
  }

  // ---- painting one panel -----------------------------------------------------------------------------------

  /** Draws all that a panel shows; ``chosen``: is a series among those that stand out, or null for all. */
  function paint(u, panel, along, chosen) {
    const { ctx } = u, ratio = devicePixelRatio || 1, box = u.bbox;
    const x = (value) => u.valToPos(value, "x", true), y = (value) => u.valToPos(value, "y", true);
    const line = (points) => { ctx.beginPath(); points.forEach(([a, b], i) => (i ? ctx.lineTo(a, b) : ctx.moveTo(a, b))); ctx.stroke(); };
    ctx.save();
    ctx.beginPath(); ctx.rect(box.left - 6 * ratio, box.top - 6 * ratio, box.width + 12 * ratio, box.height + 12 * ratio); ctx.clip();
    ctx.strokeStyle = css("--soft"); ctx.lineWidth = ratio;
    if (panel.zero) line(along === "x" ? [[x(0), box.top], [x(0), box.top + box.height]] : [[box.left, y(0)], [box.left + box.width, y(0)]]);
    if (panel.outline.length) line([...panel.outline, panel.outline[0]].map(([a, b]) => [x(a), y(b)]));
    const bars = panel.series.filter((one) => one.points.some((point) => point[BASE] !== null));
    const order = [...bars, ...panel.series.filter((one) => one.reported), ...panel.series.filter((one) => !one.reported && !bars.includes(one))];
    for (const series of order) {
      ctx.globalAlpha = chosen === null || chosen(series) ? 1 : 0.15;
      ctx.strokeStyle = ctx.fillStyle = visible(series.colour);
      if (bars.includes(series)) barsOf(ctx, series, x, y, ratio);
      else pointsOf(ctx, series, along, x, y, ratio, line);
    }
    ctx.restore();
    ctx.save();
    ctx.fillStyle = css("--soft"); ctx.font = `${10.5 * ratio}px system-ui, sans-serif`; ctx.textBaseline = "middle"; ctx.textAlign = "left";
    for (const [share, at, text] of panel.words) ctx.fillText(text, box.left + share * box.width, y(at));
    ctx.textAlign = "center";
    for (const [a, b, text] of panel.outline) ctx.fillText(text, x(a), y(b) + (b > 0 ? -10 : 12) * ratio);
    ctx.restore();
  }

  function barsOf(ctx, series, x, y, ratio) {
    ctx.lineWidth = ratio;
    for (const point of series.points) {
      const top = y(point[Y] - series.size / 2), height = y(point[Y] + series.size / 2) - top;
      const sides = [x(point[BASE]), top, x(point[X]) - x(point[BASE]), height];
      if (!series.hollow) ctx.fillRect(...sides);
      ctx.strokeRect(...sides);
    }
  }

  function pointsOf(ctx, series, along, x, y, ratio, line) {
    const places = series.points.map((point) => [x(point[X]), y(point[Y])]);
    ctx.lineWidth = 1.5 * ratio;
    if (series.dash !== null && places.length > 1) {
      ctx.setLineDash(series.dash.map((length) => 2 * length * ratio));
      line(places);
      ctx.setLineDash([]);
    }
    ctx.lineWidth = 1.2 * ratio;
    series.points.forEach((point, i) => {
      if (point[LOW] === null) return;
      const [a, b] = places[i];
      line(along === "y" ? [[a, y(point[LOW])], [a, y(point[HIGH])]] : [[x(point[LOW]), b], [x(point[HIGH]), b]]);
    });
    if (series.marker === "|" && along === "x") {
      series.points.forEach((point, i) => line([[places[i][0], y(point[Y] - series.size)], [places[i][0], y(point[Y] + series.size)]]));
      return;
    }
    const unit = new Path2D(shapeOf(series.marker));
    series.points.forEach((point, i) => {
      const size = 0.8 * series.size * ratio * (point[RING] ? 1.9 : 1), path = new Path2D();
      path.addPath(unit, new DOMMatrix([size, 0, 0, size, ...places[i]]));
      if (!LINED.includes(series.marker) && !point[RING]) {
        if (series.hollow) { ctx.save(); ctx.fillStyle = css("--paper"); ctx.fill(path); ctx.restore(); } else ctx.fill(path);
      }
      ctx.stroke(path);
    });
  }

  // ---- what is read of a point ------------------------------------------------------------------------------

  const number = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(4)));

  function read(panel, along, series, point) {
    const axis = along === "x" ? panel.x : panel.y, value = along === "x" ? point[X] : point[Y];
    const lines = [[series.name, series.group].filter(Boolean).join(", ")];
    if (point[BASE] === null && !panel.outline.length)
      lines.push(`${axis.label}: ${number(value)}` + (point[LOW] === null ? "" : ` [${number(point[LOW])}, ${number(point[HIGH])}]`));
    if (along === "y" && panel.x.log) lines.push(`${panel.x.label}: ${number(point[X])}`);
    if (point[SAID]) lines.push(point[SAID]);
    if (point[N] !== null) lines.push(`n = ${point[N].toLocaleString("en")}`);
    return lines;
  }

  /** The point nearest to the cursor, if one is near. A bar is met anywhere within. */
  function nearest(u, panel) {
    const { left, top } = u.cursor;
    if (left < 0) return null;
    let best = null, least = REACH;
    for (const series of panel.series)
      for (const point of series.points) {
        const [x, y] = [u.valToPos(point[X], "x"), u.valToPos(point[Y], "y")];
        const across = point[BASE] === null ? Math.abs(x - left) : Math.max(left - x, u.valToPos(point[BASE], "x") - left, 0);
        const distance = Math.hypot(across, y - top) + (series.marker === "none" ? 4 : 0);
        if (distance < least) [best, least] = [{ series, point, x, y }, distance];
      }
    return best;
  }

  // ---- one panel ----------------------------------------------------------------------------------------------

  const plain = (value) => (value === null ? "" : Math.abs(value) >= 10000 ? `${value / 1000}k` : String(+value.toPrecision(6)));

  /** Round numbers between the ends of a logarithmic axis: few, whatever its width. */
  function decades(low, high) {
    const steps = high > 200 * low ? [1] : high > 30 * low ? [1, 3] : [1, 2, 5], found = [];
    for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10)
      found.push(...steps.map((step) => +(step * ten).toPrecision(3)).filter((value) => value >= low && value <= high));
    return found;
  }

  function axisOf(axis, side, outline, font) {
    const names = axis.ticks.length ? axis.ticks : null;
    const found = {
      scale: side, show: !outline, label: axis.label || undefined, labelSize: 22, labelFont: font, font,
      stroke: () => css("--ink"), grid: { stroke: () => css("--line"), width: 1, show: !names },
      ticks: { stroke: () => css("--line"), width: 1, show: !names }, size: side === "x" ? 30 : 46,
    };
    if (names) {
      found.splits = () => names.map((_, i) => i);
      found.values = () => [...names];
      const longest = Math.min(170, 14 + 6.4 * Math.max(...names.map((name) => name.length)));
      if (side === "y") found.size = longest;
      else if (longest * names.length > 320) Object.assign(found, { rotate: -50, size: 0.75 * longest, align: 2 });
    } else if (axis.log) {
      found.splits = (_, __, low, high) => decades(low, high);
      found.filter = (_, splits) => splits;
      found.values = (_, splits) => splits.map((value) => (value >= 1000 ? `${value / 1000}k` : String(+value.toPrecision(3))));
    }
    else found.values = (_, splits) => splits.map(plain);
    if (axis.whole) found.incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    return found;
  }

  function scaleOf(axis) {
    const free = axis.low === null, down = !free && axis.low > axis.high;
    return { time: false, distr: axis.log ? 3 : 1, dir: down ? -1 : 1, range: (_, low, high) => [low, high] };
  }

  function ends(axis, values) {
    const [low, high] = axis.low === null ? [Math.min(...values), Math.max(...values)] : [axis.low, axis.high];
    return low < high ? [low, high] : [high, low];
  }

  function panelOf(panel, chart, height, state) {
    const holder = document.createElement("div"), tip = document.createElement("div"), spot = document.createElement("div");
    holder.className = "panel"; tip.className = "tip"; spot.className = "spot";
    tip.hidden = spot.hidden = true;
    if (panel.title) { const title = document.createElement("p"); title.className = "title"; title.textContent = panel.title; holder.append(title); }
    const room = panel.words.some(([share]) => share > 1) ? 96 : 14, outline = panel.outline.length > 0;
    const points = panel.series.flatMap((series) => series.points), font = "11px system-ui, sans-serif";
    const x = ends(panel.x, points.map((point) => point[X])), y = ends(panel.y, points.map((point) => point[Y]));
    const hover = (u) => {
      const found = nearest(u, panel);
      tip.hidden = spot.hidden = !found;
      state.focus(found ? found.series : null);
      if (!found) return;
      tip.replaceChildren(...read(panel, chart.along, found.series, found.point).map((text) => {
        const one = document.createElement("div"); one.textContent = text; return one;
      }));
      spot.style.transform = `translate(${found.x - 9}px, ${found.y - 9}px)`;
      const wide = tip.offsetWidth, over = found.x + wide + 14 > u.over.clientWidth;
      tip.style.transform = `translate(${over ? Math.max(found.x - wide - 12, -40) : found.x + 12}px, ${found.y - tip.offsetHeight - 8}px)`;
    };
    const options = {
      width: 300, height, padding: [outline ? 22 : 10, room, outline ? 22 : 0, outline ? 14 : 0], legend: { show: false },
      scales: { x: scaleOf(panel.x), y: scaleOf(panel.y) }, series: [{}, { points: { show: false }, paths: () => null }],
      axes: [axisOf(panel.x, "x", outline, font), axisOf(panel.y, "y", outline, font)],
      cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: true, uni: 20 } },
      hooks: { draw: [(u) => paint(u, panel, chart.along, state.chosen)], setCursor: [hover] },
    };
    const plot = new uPlot(options, [x, y], holder);
    plot.over.append(spot, tip);
    return { holder, plot };
  }

  // ---- one figure ---------------------------------------------------------------------------------------------

  const belongs = (series, key) =>
    key.bar ? series.hollow === key.hollow && !series.reported
      : series.name === key.label || series.group.split(", ")[0] === key.label
        || (series.reported && key.label.startsWith("paper") && (!/fig\. \d/.test(key.label) || key.label.includes(series.group.replace("figure", "fig."))));

  function swatch(key) {
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "-3 -1.6 6 3.2"); svg.setAttribute("aria-hidden", "true");
    const add = (d, fill, width, dash) => {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", d); path.setAttribute("stroke", visible(key.colour)); path.setAttribute("stroke-width", width);
      path.setAttribute("fill", fill ? visible(key.colour) : "none");
      if (dash && dash.length) path.setAttribute("stroke-dasharray", dash.map((one) => one / 5).join(" "));
      svg.append(path);
    };
    if (key.dash !== null) add("M-3 0H3", false, 0.3, key.dash);
    if (key.bar) add("M-2-1H2V1H-2Z", !key.hollow, 0.25);
    else add(shapeOf(key.marker), !key.hollow && !LINED.includes(key.marker), 0.35);
    return svg;
  }

  function figure(node, chart) {
    const area = document.createElement("div"), grid = document.createElement("div"), legend = document.createElement("div");
    area.className = "chart"; grid.className = "panels"; legend.className = "legend";
    let held = null, over = null, waiting = false;
    const plots = [];
    const redraw = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; plots.forEach((plot) => plot.redraw(false)); }); } };
    const state = {
      chosen: null,
      set() {
        const was = state.chosen;
        state.chosen = over ? (series) => series.name === over.name && (!over.reported || series.group === over.group) : held ? (series) => belongs(series, held) : null;
        if (was !== state.chosen) redraw();
      },
      focus(series) { if (series !== over) { over = series; state.set(); } },
    };
    for (const key of chart.keys) {
      const button = document.createElement("button");
      button.type = "button"; button.setAttribute("aria-pressed", "false");
      button.append(swatch(key), key.label);
      button.addEventListener("click", () => {
        held = held === key ? null : key;
        for (const other of legend.children) other.setAttribute("aria-pressed", String(other === button && held === key));
        state.set();
      });
      legend.append(button);
    }
    const rows = chart.panels.some((panel) => panel.y.ticks.length);
    const height = Math.round(rows ? 104 * chart.height : Math.max(150, 112 * chart.height));
    area.append(grid, legend);
    node.querySelector("img").after(area);
    for (const panel of chart.panels) {
      const { holder, plot } = panelOf(panel, chart, height, state);
      grid.append(holder);
      plots.push(plot);
    }
    const fit = () => {
      const wide = area.clientWidth, least = rows ? 300 : chart.columns > 4 ? 190 : 230;
      const columns = Math.max(1, Math.min(chart.columns, chart.panels.length, Math.floor(wide / least)));
      grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      const width = Math.floor((wide - 12 * (columns - 1)) / columns);
      plots.forEach((plot) => { if (plot.width !== width && width > 60) plot.setSize({ width, height }); });
    };
    fit();
    new ResizeObserver(fit).observe(area);
    dark.addEventListener("change", () => {
      chart.keys.forEach((key, i) => legend.children[i].firstChild.replaceWith(swatch(key)));
      plots.forEach((plot) => plot.redraw());
    });
  }

  if (typeof uPlot === "undefined") return;
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      figure(target, JSON.parse(document.getElementById(`chart-${target.id.slice("figure-".length)}`).textContent));
    }
  }, { rootMargin: "400px" });
  for (const node of document.querySelectorAll("#report figure"))
    if (document.getElementById(`chart-${node.id.slice("figure-".length)}`)) seen.observe(node);
})();
