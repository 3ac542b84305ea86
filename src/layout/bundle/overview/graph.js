// Who needs whom: one package in the middle with what needs it on its left and what it needs on
// its right, or all of them in columns.

const picture = document.getElementById("graph");
const SVG = "http://www.w3.org/2000/svg";
const NODE = { height: 26, gap: 8, wide: 168, narrow: 88 };

// So many pixels of the picture's width are its padding and margins.
const ROOM = 30;

// So many of a column are drawn before the rest is folded.
const TALLEST = 14;

// So many packages can be read all at once.
const READABLE = 40;

// The ways of the packages that serve the chosen target.
function ways() {
  const serving = bundle.packages.map(serves);
  const needs = bundle.packages.map((each, at) => (serving[at] ? each.needs.filter((other) => serving[other] && isNeeded(each, other)) : []));
  const neededBy = bundle.packages.map(() => []);
  needs.forEach((list, at) => list.forEach((other) => neededBy[other].push(at)));
  return { serving, needs, neededBy };
}

// Whether a package needs the other on the chosen target, or on any where none is chosen.
function isNeeded(each, other) {
  return state.target === null || (each.needs_on?.[other]?.includes(state.target) ?? true);
}

// The targets on which a package needs the other, where all are shown and it is not on all of its own.
function partOf(at, other) {
  return state.target === null ? bundle.packages[at].needs_on?.[other] : undefined;
}

// Targets as people read them: by their names, if these are few.
function targetNames(targets) {
  const names = targets.map((target) => document.getElementById("target").options[target + 1].text);
  return { short: names.length > 2 ? `${names.length} of ${count(document.getElementById("target").options.length - 1, "target")}` : names.join(" and "), long: names.join(", ") };
}

// Everything that is reached from `start`, with the number of steps to it, up to `steps`.
function reach(start, next, steps = Infinity) {
  const found = new Map([[start, 0]]);
  const waiting = [start];
  for (const at of waiting) {
    if (found.get(at) >= steps) continue;
    for (const other of next[at]) {
      if (!found.has(other)) {
        found.set(other, found.get(at) + 1);
        waiting.push(other);
      }
    }
  }
  return found;
}

// The shortest way from a package that was asked for.
function chainTo(at, { needs, neededBy, serving }) {
  const found = reach(at, neededBy);
  const asked = [...found.keys()].filter((other) => bundle.packages[other].asked_by.length && serving[other]);
  if (!asked.length) return [at];
  let here = asked.reduce((best, other) => (found.get(other) < found.get(best) ? other : best));
  const chain = [here];
  while (here !== at) {
    const step = found.get(here) - 1;
    here = needs[here].find((other) => found.get(other) === step);
    chain.push(here);
  }
  return chain;
}

// What would go if the package went: what is no longer reached from what was asked for.
function onlyFor(at, { needs, serving }) {
  const kept = new Set();
  const waiting = bundle.packages.map((_, other) => other).filter((other) => other !== at && serving[other] && bundle.packages[other].asked_by.length);
  for (const other of waiting) {
    if (kept.has(other)) continue;
    kept.add(other);
    waiting.push(...needs[other].filter((each) => each !== at));
  }
  return [...reach(at, needs).keys()].filter((other) => other !== at && !kept.has(other));
}

function columnsAround(at, { needs, neededBy }, steps) {
  const columns = new Map([[0, [at]]]);
  const place = (found, sign) => {
    for (const [other, step] of found) {
      if (step === 0 || [...columns.values()].some((column) => column.includes(other))) continue;
      columns.set(sign * step, [...(columns.get(sign * step) ?? []), other]);
    }
  };
  place(reach(at, needs, steps), 1);
  place(reach(at, neededBy, steps), -1);
  return [...columns.keys()].sort((a, b) => a - b).map((key) => columns.get(key));
}

// Each package one column behind the last of those that need it; a circle is cut where it closes.
function columnsOfAll({ serving, needs, neededBy }) {
  const column = new Map();
  const depth = (at, path) => {
    if (column.has(at)) return column.get(at);
    const above = neededBy[at].filter((other) => !path.has(other));
    path.add(at);
    const found = above.length ? Math.max(...above.map((other) => depth(other, path))) + 1 : 0;
    path.delete(at);
    column.set(at, found);
    return found;
  };
  const columns = [];
  const alone = [];
  serving.forEach((isServing, at) => {
    if (!isServing) return;
    if (!needs[at].length && !neededBy[at].length) alone.push(at);
    else (columns[depth(at, new Set())] ??= []).push(at);
  });
  return { columns: columns.map((each) => each ?? []).filter((each) => each.length), alone };
}

// Fewer crossings: each column by the mean place of its neighbours in the column before, and back.
function untangle(columns, { needs, neededBy }) {
  const sweep = (order, next) => {
    for (let index = 1; index < order.length; index += 1) {
      const before = new Map(order[index - 1].map((at, place) => [at, place / order[index - 1].length]));
      const mean = (at, place) => {
        const places = next[at].filter((other) => before.has(other)).map((other) => before.get(other));
        return places.length ? places.reduce((sum, each) => sum + each, 0) / places.length : place / order[index].length;
      };
      const means = new Map(order[index].map((at, place) => [at, mean(at, place)]));
      order[index].sort((a, b) => means.get(a) - means.get(b));
    }
  };
  for (let round = 0; round < 3; round += 1) {
    sweep(columns, neededBy);
    sweep([...columns].reverse(), needs);
  }
}

function drawGraph() {
  const all = ways();
  const count = all.serving.filter(Boolean).length;
  const isWhole = state.whole ?? count <= READABLE;
  if (state.focus === null || !all.serving[state.focus]) state.focus = mostNeeding(all);
  document.getElementById("dependencies-title").textContent = `Dependencies${state.target === null ? "" : ` on ${targetNames([state.target]).long}`}`;
  document.getElementById("whole").setAttribute("aria-pressed", String(isWhole));
  fillFocus(all);
  if (state.focus === null) return picture.replaceChildren();
  sayFocus(all);
  const steps = Number(document.getElementById("steps").value);
  const { columns, alone } = isWhole ? columnsOfAll(all) : { columns: columnsAround(state.focus, all, steps), alone: [] };
  untangle(columns, all);
  const shown = isWhole ? columns : columns.map((column, index) => fold(column, index));
  draw(shown, all, alone);
  document.getElementById("dashes").hidden = !picture.querySelector("path.part");
}

// The package to begin with: the one that was asked for and needs most.
function mostNeeding({ serving, needs }) {
  const asked = bundle.packages.map((_, at) => at).filter((at) => serving[at] && bundle.packages[at].asked_by.length);
  const reached = new Map(asked.map((at) => [at, reach(at, needs).size]));
  const first = serving.indexOf(true);
  return asked.reduce((best, at) => (best === null || reached.get(at) > reached.get(best) ? at : best), null) ?? (first < 0 ? null : first);
}

function fold(column, index) {
  if (column.length <= TALLEST || state.unfolded.has(index)) return column;
  return [...column.slice(0, TALLEST - 1), { more: column.length - TALLEST + 1, index }];
}

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function draw(columns, all, alone) {
  const room = picture.clientWidth - ROOM;
  const space = room < 600 ? 26 : 56;
  const fitting = (room - (columns.length - 1) * space) / columns.length;
  const width = Math.max(NODE.narrow, Math.min(NODE.wide, fitting));
  const step = NODE.height + NODE.gap;
  const tallest = Math.max(...columns.map((column) => column.length), 1);
  const below = alone.length ? placeAlone(alone, columns, width, tallest) : [];
  const places = new Map();
  columns.forEach((column, x) => column.forEach((at, y) => {
    const above = tallest > 2 * TALLEST ? 0 : (tallest - column.length) / 2;
    places.set(at, { x: x * (width + space), y: (y + above) * step });
  }));
  const size = {
    width: Math.max(columns.length * (width + space) - space, 0),
    height: tallest * step - NODE.gap,
  };
  for (const { at, x, y } of below) {
    places.set(at, { x, y });
    size.height = Math.max(size.height, y + NODE.height);
    size.width = Math.max(size.width, x + width);
  }
  const edges = edgesBetween(places, all, width, space);
  const nodes = [...places].map(([at, place]) => node(at, place, width));
  const drawn = element("svg", { width: size.width + 4, height: size.height + 4, viewBox: `-2 -2 ${size.width + 4} ${size.height + 4}`, class: edges.length > 60 ? "many" : "", "aria-hidden": "true" }, ...edges, ...nodes);
  pickOnHover(drawn, all);
  picture.replaceChildren(drawn);
}

// Packages that need nothing and that nothing needs: in rows below the others.
function placeAlone(alone, columns, width, tallest) {
  const perRow = Math.max(columns.length, Math.floor((picture.clientWidth - ROOM) / (width + 12)), 1);
  const top = columns.length ? tallest * (NODE.height + NODE.gap) + 18 : 0;
  return alone.map((at, index) => ({ at, x: (index % perRow) * (width + 12), y: top + Math.floor(index / perRow) * (NODE.height + NODE.gap) }));
}

function edgesBetween(places, { needs }, width, space) {
  const edges = [];
  for (const [at, from] of places) {
    for (const other of needs[at] ?? []) {
      const to = places.get(other);
      if (!to || to.x <= from.x) continue;
      const [x1, y1, x2, y2] = [from.x + width, from.y + NODE.height / 2, to.x, to.y + NODE.height / 2];
      const bend = Math.max(space / 2, (x2 - x1) / 2);
      const part = partOf(at, other);
      const told = part ? [element("title", {}, `On ${targetNames(part).long}`)] : [];
      edges.push(element("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, "data-from": at, "data-to": other, class: part ? "part" : "" }, ...told));
    }
  }
  return edges;
}

function node(at, { x, y }, width) {
  const each = bundle.packages[at];
  const name = each ? label(each) : `${at.more} more`;
  const text = element("text", { x: 8, y: NODE.height / 2 + 4.5 }, cutTo(name, width - 14, 13, 400));
  const kind = each ? (each.asked_by.length ? "asked" : "brought") : "more";
  const isMiddle = at === state.focus;
  const made = element("g", { class: `node ${kind}${isMiddle ? " middle" : ""}`, transform: `translate(${x} ${y})`, "data-at": each ? at : "" },
    element("title", {}, each ? title(each) : "Show them"), element("rect", { width, height: NODE.height, rx: 5 }), text);
  made.addEventListener("click", () => (each ? focusOn(at) : unfold(at.index)));
  return made;
}

// While the pointer rests on a package, only what leads to it and from it stands out.
function pickOnHover(drawn, { needs, neededBy }) {
  for (const made of drawn.querySelectorAll(".node[data-at]:not([data-at=''])")) {
    made.addEventListener("pointerenter", () => {
      const at = Number(made.dataset.at);
      const near = new Set([...reach(at, needs).keys(), ...reach(at, neededBy).keys()]);
      const [down, up] = [reach(at, needs), reach(at, neededBy)];
      const isOnWay = ({ from, to }) => (down.has(Number(from)) && down.has(Number(to))) || (up.has(Number(from)) && up.has(Number(to)));
      drawn.classList.add("picked");
      for (const other of drawn.querySelectorAll(".node")) other.classList.toggle("near", near.has(Number(other.dataset.at)) && other.dataset.at !== "");
      for (const path of drawn.querySelectorAll("path")) path.classList.toggle("near", isOnWay(path.dataset));
    });
    made.addEventListener("pointerleave", () => drawn.classList.remove("picked"));
  }
}

function unfold(index) {
  state.unfolded.add(index);
  drawGraph();
}

function partNote({ short, long }) {
  const made = document.createElement("span");
  made.className = "soft";
  made.textContent = ` on ${short}`;
  made.title = long;
  return made;
}

function fillFocus({ serving }) {
  const select = document.getElementById("focus");
  select.replaceChildren(...bundle.packages.flatMap((each, at) => (serving[at] ? [new Option(title(each), at, false, at === state.focus)] : [])));
}

// The same in words, for those who do not see the picture.
function sayFocus(all) {
  const each = bundle.packages[state.focus];
  const heading = document.createElement("h3");
  heading.textContent = title(each);
  const words = document.getElementById("graph-words");
  const below = [...reach(state.focus, all.needs).keys()].filter((at) => at !== state.focus);
  const lost = onlyFor(state.focus, all);
  const sum = (list) => size(list.reduce((bytes, at) => bytes + bytesOf(bundle.packages[at]), 0));
  const needs = below.length
    ? `With all that follows it needs ${count(below.length, "package")} (${sum(below)}). ${lost.length ? `Without it, ${lost.length} of them (${sum(lost)}) would not be here.` : "All of them would be here without it, too."}`
    : "";
  words.replaceChildren(heading, paragraph(`${reason(each, all)} ${needs}`),
    packageList("Needs", all.needs[state.focus], (at) => partOf(state.focus, at)),
    packageList("Needed by", all.neededBy[state.focus], (at) => partOf(at, state.focus)));
}

function reason(each, all) {
  if (each.asked_by.length) return `${size(bytesOf(each))}. Asked for by ${each.asked_by.join(", ")}.`;
  const chain = chainTo(state.focus, all).map((at) => label(bundle.packages[at]));
  if (chain.length === 1) return `${size(bytesOf(each))}. Brought by ${each.lines.join(", ")}.`;
  return `${size(bytesOf(each))}. Here by way of ${chain.join(" → ")}.`;
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function packageList(heading, list, part) {
  const made = document.createElement("div");
  made.append(list.length ? `${heading}: ` : `${heading}: nothing.`);
  const items = list.map((at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label(bundle.packages[at]);
    button.addEventListener("click", () => focusOn(at));
    const item = document.createElement("li");
    item.append(button);
    if (part(at)) item.append(partNote(targetNames(part(at))));
    return item;
  });
  const holder = document.createElement("ul");
  holder.append(...items);
  if (items.length) made.append(holder);
  return made;
}
