// The table of packages: sorted by a click on a heading, filtered by the words, the target and the
// package that were chosen.

const table = document.getElementById("table");
const rows = [...table.tBodies[0].rows];

function makeSortable() {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => sortBy(heading));
  }
  table.tHead.rows[0].cells[0].setAttribute("aria-sort", "ascending");
}

function sortBy(heading) {
  const wasAscending = heading.getAttribute("aria-sort") === "ascending";
  const isFirst = !heading.hasAttribute("aria-sort");
  const isDescending = isFirst ? heading.dataset.key === "bytes" : wasAscending;
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  const order = compareBy(heading.dataset.key);
  const sorted = [...rows].sort((a, b) => (isDescending ? order(b, a) : order(a, b)) || a.dataset.at - b.dataset.at);
  table.tBodies[0].append(...sorted);
}

function compareBy(key) {
  const value = {
    name: (each) => each.name,
    license: (each) => each.license ?? "\uffff",
    bytes: (each) => bytesOf(each),
    uploaded: (each) => each.uploaded ?? "\uffff",
    why: (each) => (each.asked_by.length ? 0 : 1),
    targets: (each) => each.targets.length,
  }[key];
  return (a, b) => {
    const [one, other] = [a, b].map((row) => value(bundle.packages[row.dataset.at]));
    return one < other ? -1 : one > other ? 1 : 0;
  };
}

function nameButtons() {
  for (const row of rows) {
    const name = row.querySelector(".name");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "name";
    button.textContent = name.textContent;
    button.title = "Show what it needs, and what needs it";
    name.replaceWith(button);
    button.addEventListener("click", () => {
      focusOn(Number(row.dataset.at));
      document.getElementById("dependencies").scrollIntoView();
    });
  }
}

function licenseButtons() {
  for (const row of document.querySelectorAll("#licences tbody tr")) {
    const name = row.querySelector("[data-license]");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = name.textContent;
    button.title = "Show the packages under it";
    name.replaceChildren(button);
    button.addEventListener("click", () => {
      Object.assign(state, { license: name.dataset.license, only: null });
      update();
      document.getElementById("packages").scrollIntoView();
    });
  }
}

// The licence as the list of licences names it.
function licenseOf(each) {
  return each.license ?? "not stated";
}

function isShown(at) {
  const each = bundle.packages[at];
  const text = `${each.name} ${each.version ?? ""} ${each.summary ?? ""} ${licenseOf(each)}`.toLowerCase();
  const words = state.query.toLowerCase().split(/\s+/);
  const isChosen = (state.only === null || state.only === at) && (state.license === null || state.license === licenseOf(each));
  return serves(each) && isChosen && words.every((word) => text.includes(word));
}

function filterTable() {
  let shown = 0;
  let bytes = 0;
  for (const row of rows) {
    const at = Number(row.dataset.at);
    row.hidden = !isShown(at);
    row.classList.toggle("focus", state.only === at);
    row.querySelector("[data-bytes]").textContent = size(bytesOf(bundle.packages[at]));
    if (!row.hidden) {
      shown += 1;
      bytes += bytesOf(bundle.packages[at]);
    }
  }
  document.getElementById("nothing").hidden = shown > 0;
  const only = [state.license, state.only === null ? null : title(bundle.packages[state.only])].filter((part) => part !== null);
  const told = only.map((part) => `Only ${part}: `).join("");
  document.getElementById("count").textContent = `${told}${shown} of ${rows.length} packages, ${size(bytes)}`;
}
