// What the parts share: the data, the choices of the reader, and what happens when one changes.

const bundle = JSON.parse(document.getElementById("data").textContent);
const state = { query: "", target: null, only: null, license: null, focus: null, whole: null, unfolded: new Set() };

function serves(each) {
  return state.target === null || each.targets.includes(state.target);
}

// Bytes of the files that serve the chosen target.
function bytesOf(each) {
  const files = each.files.filter((file) => state.target === null || file.targets.includes(state.target));
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

function title(each) {
  return each.version === null ? each.name : `${each.name} ${each.version}`;
}

// The name, with the version where there are several of it.
function label(each) {
  return bundle.packages.some((other) => other !== each && other.name === each.name) ? title(each) : each.name;
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

function count(number, noun) {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function update() {
  filterTable();
  drawTreemap();
  document.getElementById("clear").hidden = !state.query && state.only === null && state.license === null && state.target === null;
}

function showOnly(at) {
  state.only = state.only === at ? null : at;
  update();
  if (state.only !== null) focusOn(at);
}

function focusOn(at) {
  state.focus = at;
  state.unfolded.clear();
  if (bundle.packages.filter(serves).length > READABLE) state.whole = null;
  drawGraph();
}

function clearFilters() {
  Object.assign(state, { query: "", target: null, only: null, license: null });
  document.getElementById("query").value = "";
  showTarget();
  update();
  drawGraph();
  document.getElementById("query").focus();
}

// The target is chosen in two places, which show the same one.
function showTarget() {
  for (const id of ["target", "graph-target"]) document.getElementById(id).value = state.target ?? "";
}

function chooseTarget(select) {
  Object.assign(state, { target: select.value === "" ? null : Number(select.value), only: null });
  showTarget();
  update();
  drawGraph();
}

function listen() {
  const on = (id, event, react) => document.getElementById(id).addEventListener(event, (happened) => react(happened.target));
  on("query", "input", (input) => {
    Object.assign(state, { query: input.value.trim(), only: null });
    update();
  });
  on("target", "change", chooseTarget);
  on("graph-target", "change", chooseTarget);
  on("clear", "click", clearFilters);
  on("focus", "change", (select) => focusOn(Number(select.value)));
  on("steps", "change", () => {
    state.whole = false;
    drawGraph();
  });
  on("whole", "click", (button) => {
    state.whole = button.getAttribute("aria-pressed") !== "true";
    drawGraph();
  });
  addEventListener("beforeprint", () => fitToPaper(true));
  addEventListener("afterprint", () => fitToPaper(false));
  treemap.addEventListener("keydown", moveInTreemap);
  addEventListener("resize", () => {
    drawTreemap();
    drawGraph();
  });
}

// Labels are chosen by the room that they have: on paper, whose width no script can ask for, that of
// the narrower of the common sheets, in pixels.
function fitToPaper(isPaper) {
  Object.assign(treemap.style, isPaper ? { width: "650px", height: "230px" } : { width: "", height: "" });
  drawTreemap();
}

document.documentElement.classList.add("live");
makeSortable();
nameButtons();
licenseButtons();
listen();
update();
drawGraph();
