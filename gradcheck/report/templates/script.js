(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  root.classList.add("js");

  // colours: as the system, dark, light
  const themes = { auto: ["◐ Auto", "as the system"], dark: ["● Dark", "dark"], light: ["○ Light", "light"] };
  const button = byId("theme");
  const store = (value) => { try { return value ? localStorage.setItem("gradcheck-theme", value) : localStorage.getItem("gradcheck-theme"); } catch { return null; } };
  const paint = (name) => {
    if (name === "auto") delete root.dataset.theme; else root.dataset.theme = name;
    button.textContent = themes[name][0];
    button.setAttribute("aria-label", "Colours: " + themes[name][1]);
    button.dataset.now = name;
  };
  paint(themes[store()] ? store() : "auto");
  button.addEventListener("click", () => {
    const names = Object.keys(themes);
    const next = names[(names.indexOf(button.dataset.now) + 1) % names.length];
    store(next);
    paint(next);
  });

  // filter by words and by verdict
  const input = byId("filter"), found = byId("found");
  const items = all("[data-k]").map((item) => [item, ((item.dataset.k || item.textContent) + " " + (item.dataset.v || "")).toLowerCase()]);
  let verdict = "";
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [item, text] of items) {
      const group = item.classList.contains("group");
      const fits = words.every((word) => text.includes(word)) &&
        (!verdict || !group || item.dataset.v === verdict) &&
        (!verdict || group || !item.closest("#matrix") || (verdict === "correct") !== (item.dataset.v === "failed"));
      item.hidden = !fits;
      shown += fits;
    }
    found.textContent = words.length || verdict ? `${shown} of ${items.length} items${verdict ? ": " + verdict.replaceAll("_", " ") : ""}` : "";
  };
  input.addEventListener("input", apply);
  input.addEventListener("keydown", (event) => { if (event.key === "Escape") { input.value = ""; apply(); } });
  const chips = all("[data-verdict]");
  for (const chip of chips) chip.addEventListener("click", () => {
    verdict = verdict === chip.dataset.verdict ? "" : chip.dataset.verdict;
    for (const other of chips) other.setAttribute("aria-pressed", String(other.dataset.verdict === verdict));
    apply();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { event.preventDefault(); input.focus(); }
  });

  // sort by a column
  const units = { "ms": 1e-3, "s": 1, "min": 60, "h": 3600 };
  const worth = (row, column) => {
    const text = row.children[column].textContent.trim();
    const match = /^[×±]?(-?[\d,]*\.?\d+(?:e[-+]?\d+)?|nan|inf)(?:\s(ms|s|min|h)\b)?/i.exec(text);
    if (!match) return text ? [1, text.toLowerCase()] : [2, ""];
    const value = Number(match[1].replaceAll(",", "").replace("inf", "Infinity"));
    return Number.isNaN(value) ? [1, text] : [0, value * (units[match[2]] || 1)];
  };
  const order = (a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
  for (const table of all("table.sort")) {
    all("thead th", table).forEach((head, column) => {
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [worth(row, column), row]);
        rows.sort((a, b) => (down ? order(b[0], a[0]) : order(a[0], b[0])));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  // fold
  for (const folder of all("[data-fold]")) folder.addEventListener("click", () => {
    const open = folder.dataset.fold === "true";
    for (const details of all("details.group")) details.open = open;
    folder.dataset.fold = String(!open);
    folder.textContent = open ? "Fold all" : "Unfold all";
  });

  // copy
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* an older way below */ }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  for (const copier of all("[data-copy]")) copier.addEventListener("click", async () => {
    const was = copier.innerHTML;
    const done = await copy(byId(copier.dataset.copy).textContent);
    copier.textContent = done ? "Copied" : "Select and copy";
    setTimeout(() => { copier.innerHTML = was; }, 1500);
  });

  // a link to a failure opens what it is folded into
  const open = () => {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && byId(id);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) { if (at.tagName === "DETAILS") at.open = true; at.hidden = false; }
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => { for (const details of all("details:not(.numbers)")) details.open = true; });
})();
