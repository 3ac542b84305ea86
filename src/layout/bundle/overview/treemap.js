// The map of sizes: squarified (Bruls, Huizing and van Wijk, 2000), an area for each package.

const treemap = document.getElementById("treemap");

// Below this many square pixels an area can be neither read nor hit.
const SMALLEST_AREA = 420;

function drawTreemap() {
  const { clientWidth: width, clientHeight: height } = treemap;
  if (!width) return;
  const cells = treemapCells(width * height);
  const total = cells.reduce((sum, cell) => sum + cell.bytes, 0);
  const scale = (width * height) / total;
  const buttons = [];
  squarify(cells, { left: 0, top: 0, width, height }, scale, (cell, box) => buttons.push(cellButton(cell, box, width, height, total)));
  const had = treemap.contains(document.activeElement) ? document.activeElement.dataset.at : null;
  treemap.replaceChildren(...buttons);
  const current = buttons.find((button) => button.dataset.at === had) ?? buttons[0];
  if (current) current.tabIndex = 0;
  if (current && had !== null) current.focus();
}

// What is drawn, the largest first; the smallest are put together.
function treemapCells(area) {
  const every = bundle.packages.map((each, at) => ({ at, bytes: serves(each) ? bytesOf(each) : 0 }));
  const cells = every.filter((cell) => cell.bytes > 0).sort((a, b) => b.bytes - a.bytes || a.at - b.at);
  const total = cells.reduce((sum, cell) => sum + cell.bytes, 0);
  const first = cells.findIndex((cell) => (cell.bytes / total) * area < SMALLEST_AREA);
  if (first < 0 || cells.length - first < 2) return cells;
  const small = cells.splice(first);
  const bytes = small.reduce((sum, cell) => sum + cell.bytes, 0);
  // However little they are together, they must be seen to be there.
  const rest = { small, bytes: Math.max(bytes, (total * SMALLEST_AREA * 4) / area), truly: bytes };
  return [...cells, rest].sort((a, b) => b.bytes - a.bytes);
}

// Calls `place(cell, box)` for each cell.
function squarify(cells, box, scale, place) {
  let row = [];
  let rest = box;
  for (const cell of cells) {
    const side = Math.min(rest.width, rest.height);
    if (row.length && worst([...row, cell], side, scale) > worst(row, side, scale)) {
      rest = layRow(row, rest, scale, place);
      row = [];
    }
    row.push(cell);
  }
  if (row.length) layRow(row, rest, scale, place);
}

// The worst ratio of sides in a row along `side`.
function worst(row, side, scale) {
  const areas = row.map((cell) => cell.bytes * scale);
  const sum = areas.reduce((total, area) => total + area, 0);
  return Math.max(...areas.map((area) => Math.max((side * side * area) / (sum * sum), (sum * sum) / (side * side * area))));
}

function layRow(row, box, scale, place) {
  const area = row.reduce((sum, cell) => sum + cell.bytes * scale, 0);
  const isUpright = box.width >= box.height;
  const depth = area / (isUpright ? box.height : box.width);
  let offset = 0;
  for (const cell of row) {
    const length = (cell.bytes * scale) / depth;
    place(cell, isUpright
      ? { left: box.left, top: box.top + offset, width: depth, height: length }
      : { left: box.left + offset, top: box.top, width: length, height: depth });
    offset += length;
  }
  return isUpright
    ? { left: box.left + depth, top: box.top, width: box.width - depth, height: box.height }
    : { left: box.left, top: box.top + depth, width: box.width, height: box.height - depth };
}

// Places are shares of the whole, so that it scales to paper.
function cellButton(cell, box, width, height, total) {
  const each = cell.small ? null : bundle.packages[cell.at];
  const bytes = cell.truly ?? cell.bytes;
  const name = each ? title(each) : `${cell.small.length} smaller packages`;
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1;
  button.dataset.at = each ? cell.at : "rest";
  button.className = each ? each.kind : "rest";
  if (each && !isShown(cell.at)) button.classList.add("dim");
  const share = `${((bytes / total) * 100).toFixed(bytes / total < 0.1 ? 1 : 0)} %`;
  button.setAttribute("aria-label", `${name}, ${size(bytes)}, ${share}`);
  button.title = `${name}\n${size(bytes)}, ${share}`;
  button.append(...cellLabel(each ? label(each) : `+${cell.small.length}`, bytes, box));
  const percent = (part, whole) => `${((part / whole) * 100).toFixed(4)}%`;
  Object.assign(button.style, {
    left: percent(box.left, width), top: percent(box.top, height), width: percent(box.width, width), height: percent(box.height, height),
  });
  button.addEventListener("click", () => (each ? showOnly(cell.at) : sortBySize()));
  return button;
}

// The name where it can be read, and the size where there is room below.
function cellLabel(name, bytes, box) {
  const room = { width: box.width - 13, height: box.height - 8 };
  const isLarge = box.width > 150 && box.height > 80;
  const sizes = isLarge ? [17, 12] : [12, 10];
  const tried = sizes.map((letters) => ({ letters, line: letters * 1.25, lines: brokenName(name, room.width, letters) }));
  const fitting = tried.find(({ lines, line }) => lines.length && lines.length * line <= room.height) ?? cutName(name, room);
  if (!fitting) return [];
  const { letters, line, lines } = fitting;
  const label = labelLine("label", lines, letters);
  const below = labelLine("below", [size(bytes)], 12);
  const hasRoom = lines.length * line + 15 <= room.height && textWidth(size(bytes), 12) <= room.width;
  return hasRoom ? [label, below] : [label];
}

function labelLine(kind, lines, letters) {
  const made = document.createElement("span");
  made.className = kind;
  made.style.fontSize = `${letters}px`;
  made.textContent = lines.join("\u200b");
  return made;
}

// The name in one line, or in two that are broken behind a dash; in none if that is too wide.
function brokenName(name, width, letters) {
  const fits = (text) => textWidth(text, letters) <= width;
  if (fits(name)) return [name];
  const parts = name.split(/(?<=[-_.])/);
  for (let at = parts.length - 1; at > 0; at -= 1) {
    const lines = [parts.slice(0, at).join(""), parts.slice(at).join("")];
    if (lines.every(fits)) return lines;
  }
  return [];
}

// As much of the name as fits in one line of small letters, if that is enough to know it by.
function cutName(name, room) {
  const [letters, line] = [10, 12.5];
  const cut = cutTo(name, room.width, letters);
  return cut.length > 4 && line <= room.height ? { letters, line, lines: [cut] } : null;
}

// The name, or its beginning where there is no room for more.
function cutTo(name, width, letters, weight) {
  if (textWidth(name, letters, weight) <= width) return name;
  const kept = [...name].findLastIndex((_, at) => textWidth(`${name.slice(0, at)}…`, letters, weight) <= width);
  return `${name.slice(0, Math.max(kept, 0))}…`;
}

const pen = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;

function textWidth(text, letters, weight = 600) {
  pen.font = `${weight} ${letters}px ${family}`;
  return pen.measureText(text).width;
}

function sortBySize() {
  const heading = table.querySelector('[data-key="bytes"]');
  heading.setAttribute("aria-sort", "descending");
  sortBy(heading);
  document.getElementById("packages").scrollIntoView();
}

function moveInTreemap(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const buttons = [...treemap.children];
  const at = buttons.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = buttons[(at + step + buttons.length) % buttons.length];
  buttons[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
