const $ = id => document.getElementById("ll-" + id);
const data = JSON.parse($("sketch").textContent), two = data.kind === "two";
const sliders = ["t", "b", "e"].map($).filter(Boolean), last = +$("e").max;
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const floats = text => new Float32Array(bytes(text).buffer);
const read = side => ({z: floats(side.z), h: floats(side.h), n: floats(side.n), group: bytes(side.group)});
const cells = two && [read(data.no), read(data.yes)], grid = two || floats(data.grid);
const clamp = (x, limit) => Math.min(Math.max(x, -limit), limit);
const softplus = u => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
const logit = p => Math.log(p / (1 - p)), limitOf = eps => eps ? -logit(eps) : 1e300;
const clipAt = e => e && (two ? 0.05 * 10 ** ((e - 100) / 16) : data.shares[e]);

// Rows of a cell lie evenly from z - h to z + h; what a clip cuts off costs what it costs at the limit.
function side({z, h, n}, sign, T, b, limit) {
  return n.reduce((sum, weight, i) => {
    const mid = sign * (z[i] / T + b), half = h[i] / T, all = 2 * half || 1;
    const above = clamp(Math.max(mid + half - limit, 0) / all, 1);
    const below = clamp(Math.max(half - mid - limit, 0) / all, 1);
    const low = clamp(mid - half, limit), high = clamp(mid + half, limit), m = (low + high) / 2;
    const bend = 1 / (2 + 2 * Math.cosh(m));
    return sum + weight * (above * softplus(limit) + below * softplus(-limit)
      + (1 - above - below) * (softplus(m) + bend * (high - low) ** 2 / 24));
  }, 0);
}

// Without a clip: of the rows whose loss is finite.
function lossAt(t, b, e) {
  if (!t && !b && !e) return data.finite;
  if (!two) return grid[(t + 20) * 41 + e];
  const T = 2 ** (t / 50), eps = clipAt(e), limit = limitOf(eps);
  const sum = side(cells[0], 1, T, b / 50, limit) + side(cells[1], -1, T, b / 50, limit);
  return eps ? sum - data.wrong * Math.log(eps) - data.right * Math.log1p(-eps) : sum / (1 - data.lost);
}

// Mean forecast and share that happened.
function groups(T, b, eps) {
  const sums = Array.from(Array(15), () => [0, 0, 0]);
  cells.forEach((of, y) => of.z.forEach((z, i) => {
    const sum = sums[of.group[i]], n = of.n[i];
    sum[0] += n;
    sum[1] += n / (1 + Math.exp(-clamp(z / T + b, limitOf(eps))));
    sum[2] += n * y;
  }));
  return sums.filter(s => s[0]).map(s => [logit(s[1] / s[0]), logit(s[2] / s[0])]);
}

const write = (id, text) => { $(id).textContent = text; };
const show = x => x && (Math.abs(x) < 5e-5 || Math.abs(x) >= 1e6) ? x.toExponential(1) : x.toFixed(4);
const path = (points, name) => `<path class="ll-${name}" d="M${points.join("L")}"/>`;
const dot = (point, name) => `<circle class="ll-${name}" cx="${point[0]}" cy="${point[1]}" r="4"/>`;
const place = ([x, y]) => [180 + 130 * clamp(x / data.wide, 1), 130 - 120 * clamp(y / data.wide, 1)];

function drawLine(T, b, eps) {
  const now = groups(T, b, eps).map(place);
  $("line").innerHTML = path(groups(1, 0, 0).map(place), "before") + path(now, "now") + now.map(p => dot(p, "dot")).join("");
}

function drawCurve(t, b, e) {
  const first = data.infinite ? 1 : 0, all = [];
  for (let i = first; i <= last; i++) all.push(lossAt(t, b, i));
  const low = Math.min(...all), high = Math.max(...all), best = first + all.indexOf(low);
  const at = e => [50 + 260 * e / last, 240 - 220 * (all[e - first] - low) / (high - low || 1)];
  $("curve").innerHTML = path(all.map((_, i) => at(first + i)), "now") + (e < first ? "" : dot(at(e), "dot")) + dot(at(best), "mark");
  write("low", show(low));
  write("high", show(high));
  write("curve-said", `${best ? clipAt(best).toPrecision(2) : "none"}, ${show(low)} nats`);
}

function update() {
  const [t, b, e] = two ? sliders.map(s => +s.value) : [+sliders[0].value, 0, +sliders[1].value];
  const T = 2 ** (t / (two ? 50 : 10)), eps = clipAt(e), loss = lossAt(t, b, e), lost = data.infinite && !e;
  const words = ["temperature " + T.toPrecision(3), "shift " + (b / 50).toFixed(2), data.says + (eps && eps.toPrecision(2))];
  sliders.forEach((slider, i) => {
    slider.ariaValueText = words[two ? i : 2 * i];
    slider.previousElementSibling.textContent = slider.ariaValueText.split(" ").pop();
  });
  const change = loss - data.finite, error = data.errors.findLast(row => row[0] <= T)[e ? 2 : 1];
  const against = data.infinite && e ? "as given it is infinite" : `${change > 0 ? "+" : ""}${show(change)} against as given`;
  write("loss", `Log loss ${lost ? data.lost_said : ""}${show(loss)} nats` + (t || b || e ? `; ${against}; within ${error} nats.` : ", as given."));
  $("whatif").dataset.loss = loss;
  if (two) drawLine(T, b / 50, eps);
  drawCurve(t, b, e);
}

const move = to => (sliders.forEach((slider, i) => { slider.value = to[i]; }), update());
$("play").oninput = update;
$("given").onclick = () => move([0, 0, 0]);
$("best").onclick = () => move(data.best);
$("whatif").classList.add("ll-live");
$("play").hidden = false;
move([0, 0, 0]);
