/* Comfort for pages that work without it: copy, show, CSV, tag rows, and care for secrets that are shown once.
   Loaded with `defer`. Controls that need it are `hidden` in the page until it runs. */
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const DOTS = "•".repeat(16);
  const NEEDS_US = "[data-copy], [data-show], [data-csv], [data-print], [data-add-row], [data-remove-row], [data-shortcut]";

  document.documentElement.classList.add("js");
  const reveal = (root) => all(NEEDS_US, root).forEach((control) => { control.hidden = false; });

  // The status region
  let silence;
  const say = (text) => {
    clearTimeout(silence);
    byId("announcement").textContent = text;
    silence = setTimeout(() => { byId("announcement").textContent = ""; }, 4000);
  };

  // Secrets: the page keeps the text only here once it is masked
  const secrets = new Map();
  let guarded = document.querySelector("[data-guard]") !== null;
  const isField = (element) => element.matches("input, textarea, select");
  const read = (element) => {
    if (secrets.has(element)) return secrets.get(element);
    if (isField(element)) return element.value;
    return element.hasAttribute("data-secret") ? element.textContent : element.textContent.trim();
  };
  const show = (button, shown) => {
    const target = byId(button.dataset.show);
    button.setAttribute("aria-pressed", String(shown));
    if (isField(target)) target.type = shown ? "text" : "password";
    else target.textContent = shown ? secrets.get(target) : DOTS;
  };
  all("[data-mask]").forEach((element) => {
    secrets.set(element, element.textContent);
    element.textContent = DOTS;
    element.dataset.masked = "";
  });

  const copy = async (button) => {
    const target = button.dataset.copy ? byId(button.dataset.copy) : button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(read(target));
      if (target.hasAttribute("data-secret")) guarded = false;
      say("Copied");
    } catch { // no permission, or no secure context: select it for the person to copy
      if (secrets.has(target)) target.textContent = secrets.get(target);
      if (isField(target)) target.select();
      else getSelection().selectAllChildren(target);
      say("Selected. Press Ctrl+C to copy.");
    }
  };
  document.addEventListener("copy", () => {
    if (getSelection().anchorNode?.parentElement?.closest("[data-secret]")) guarded = false;
  });

  // CSV of the [data-column] elements in the element that data-csv-from names; a repeated column makes another row
  const download = (button) => {
    const columns = new Map();
    // A spreadsheet would run a name that begins like a formula; a secret must stay as it is.
    const text = (cell) => (/^[=+\-@\t\r]/.test(read(cell)) && !("secret" in cell.dataset) ? `'${read(cell)}` : read(cell));
    all("[data-column]", byId(button.dataset.csvFrom) ?? document).forEach((cell) => {
      columns.set(cell.dataset.column, [...(columns.get(cell.dataset.column) ?? []), text(cell)]);
    });
    const lines = [[...columns.keys()]];
    const height = Math.max(...[...columns.values()].map((column) => column.length));
    for (let row = 0; row < height; row++) lines.push([...columns.values()].map((column) => column[row] ?? ""));
    const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const file = new Blob(lines.map((line) => line.map(quote).join(",") + "\r\n"), { type: "text/csv" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: button.dataset.csv });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    guarded = false;
    say("Downloaded");
  };

  // Rows: [data-rows] holds the rows and a <template> of one
  const addRow = (button) => {
    const rows = button.closest("[data-rows]");
    rows.querySelector("template").before(rows.querySelector("template").content.cloneNode(true));
    const made = all("[data-row]", rows);
    reveal(made.at(-1));
    made.at(-1).querySelector("input").focus();
    button.hidden = made.length >= Number(rows.dataset.rows || Infinity);
  };
  const removeRow = (button) => {
    const rows = button.closest("[data-rows]");
    button.closest("[data-row]").remove();
    const add = rows.querySelector("[data-add-row]");
    add.hidden = false;
    add.focus();
  };

  // A finding's link goes to its line of the document
  const toLine = (link) => {
    const field = document.querySelector(link.hash);
    const before = field.value.split("\n").slice(0, link.dataset.line - 1).join("\n").length;
    const start = before && before + 1;
    field.setSelectionRange(start, (field.value + "\n").indexOf("\n", start));
    field.scrollTop = (link.dataset.line - 4) * 20;
  };

  const toPaper = () => {
    print();
    guarded = false;
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest("button, a, input, summary");
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (!target) return;
    const { dataset } = target;
    if ("copy" in dataset) copy(target);
    else if ("show" in dataset) show(target, target.getAttribute("aria-pressed") !== "true");
    else if ("csv" in dataset) download(target);
    else if ("print" in dataset) toPaper();
    else if ("addRow" in dataset) addRow(target);
    else if ("removeRow" in dataset) removeRow(target);
    else if ("line" in dataset) setTimeout(toLine, 0, target); // when the link has moved the focus
    else if (target.matches("a[data-saved]")) guarded = false;
  });

  // Menus close when the focus leaves them, and by Escape
  document.addEventListener("focusin", (event) => {
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || shortcutOff()) return;
    const box = document.querySelector(".topbar [type=search]");
    if (!box || event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    box.focus();
    box.select();
  });

  // WCAG 2.1.4: a shortcut of one character can be switched off (user menu)
  const shortcutOff = () => localStorage.getItem("search-shortcut") === "off";
  const shortcut = document.querySelector("[data-shortcut] input");
  if (shortcut) {
    shortcut.checked = !shortcutOff();
    shortcut.addEventListener("change", () => localStorage.setItem("search-shortcut", shortcut.checked ? "on" : "off"));
  }

  // A POST form is sent once; Back, a refused leave and ten seconds make it usable again
  const release = (form) => {
    delete form.dataset.sent;
    all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method")?.toLowerCase() !== "post") return;
    if ("sent" in form.dataset) return event.preventDefault();
    if ("saved" in form.dataset) guarded = false;
    all("[data-show]", form).forEach((button) => show(button, false)); // so that no browser keeps it as plain text
    form.dataset.sent = "";
    all("button:not([type=button]), [type=submit]", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
    setTimeout(() => release(form), 10000);
  });

  // Two minutes before the session ends: a warning, and one click that puts it off
  const ending = byId("session-end");
  const warn = (seconds) => setTimeout(() => { ending.hidden = false; }, seconds * 1000 - 140000);
  ending?.addEventListener("submit", (event) => {
    event.preventDefault();
    ending.hidden = true;
    fetch(ending.action, { method: "POST", body: new FormData(ending) })
      .then((answer) => (answer.redirected ? location.reload() : answer.text().then(warn)));
  });
  if (ending) warn(ending.dataset.seconds);

  // A name to be typed before something is deleted
  all("[data-must-equal]").forEach((field) => {
    const check = () => field.setCustomValidity(field.value === field.dataset.mustEqual ? "" : `Type ${field.dataset.mustEqual} to confirm.`);
    field.addEventListener("input", check);
    check();
  });

  // Change list: the check box in the header
  const toggle = byId("action-toggle");
  if (toggle) {
    const boxes = all(".action-select");
    const count = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      toggle.checked = chosen === boxes.length;
      toggle.indeterminate = chosen > 0 && chosen < boxes.length;
      all(".action-counter").forEach((counter) => { counter.textContent = `${chosen} of ${boxes.length} selected`; });
    };
    toggle.addEventListener("change", () => { boxes.forEach((box) => { box.checked = toggle.checked; }); count(); });
    boxes.forEach((box) => box.addEventListener("change", count));
    addEventListener("pageshow", count);
  }

  // Leaving: ask while a secret is neither copied nor downloaded; then leave nothing for Back to show
  addEventListener("beforeunload", (event) => { if (guarded) event.preventDefault(); });
  addEventListener("pagehide", () => {
    secrets.clear();
    all("[data-secret]").forEach((element) => { secrets.set(element, ""); element.textContent = "No longer shown"; });
    all("input[type=password]").forEach((field) => { field.value = ""; });
    all("[data-show]").forEach((button) => {
      const target = byId(button.dataset.show);
      if (isField(target)) target.value = "";
      else button.hidden = true;
    });
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach(release));

  reveal(document);
})();
