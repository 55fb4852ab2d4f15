extension ReportScript {
    /// Puts timelines into the page, and makes the page's own controls work.
    static let page = #"""
        function button(text, label, action) {
          const names = { type: "button", "aria-label": label, title: label };
          const element = make("button", names, text);
          element.addEventListener("click", action);
          return element;
        }

        function buildTimeline(t) {
          const { run } = t;
          const id = "timeline-" + t.number;
          t.range = make("span", { class: "range" });
          t.live = make("span", { class: "unseen", "aria-live": "polite" });
          t.picture = make("canvas", { class: "picture", role: "img",
            "aria-label": describe(t) });
          t.overview = make("canvas", { class: "overview", "aria-hidden": "true" });
          t.tip = make("div", { class: "tip", hidden: "" });
          t.stage = make("div", { class: "stage", tabindex: "0", role: "group",
            "aria-label": "Timeline", "aria-describedby": id + "-keys" },
            t.overview, t.picture, t.tip);
          t.panel = make("div", { class: "journey" });
          const keys = make("p", { class: "hint keys", id: id + "-keys" },
            "Drag or ← → to move, + − or the wheel (after a click, or with Ctrl) to zoom, "
            + "0 for all, n and p for the next and previous event, Enter for its journey, "
            + "j to zoom to it, "
            + "Esc to let go.");
          t.place.append(make("h3", {}, "Timeline"), tools(t), t.stage, keys);
          if (run.sampling > 1) {
            t.place.append(make("p", { class: "hint" }, "Shown are " + t.model.count + " of "
              + run.eventCount + " events: one journey of " + run.sampling
              + ". Lag and latency count all."));
          }
          t.place.append(t.panel, t.live);
          t.stage.addEventListener("keydown", (event) => {
            t.pointer = null;
            t.key(event);
          });
          t.picture.addEventListener("wheel", (event) => t.wheel(event), { passive: false });
          t.picture.addEventListener("pointerdown", (event) => t.press(event));
          t.picture.addEventListener("pointermove", (event) => t.move(event));
          t.picture.addEventListener("pointerup", () => t.release());
          t.picture.addEventListener("pointercancel", () => { t.drag = null; });
          t.picture.addEventListener("dblclick", (event) => t.zoom(0.4, t.time(event.offsetX)));
          t.picture.addEventListener("pointerleave", () => { t.pointer = null; t.later(); });
          const slide = (event) => {
            if (event.buttons !== 1) return;
            const middle = (event.offsetX - t.left) / t.inner * t.model.length;
            t.show(middle - t.span / 2, middle + t.span / 2);
          };
          t.overview.addEventListener("pointerdown", slide);
          t.overview.addEventListener("pointermove", slide);
        }

        function describe(t) {
          const { run } = t;
          const lanes = run.lanes.map(([name]) => name).join(", ");
          return "A lane for each of " + lanes + "; " + t.model.count + " events in "
            + lengthText(t.model.length) + ", " + run.faults.length + " faults. "
            + "The journey of each order stands as a table below when it is chosen.";
        }

        function tools(t) {
          const { run } = t;
          const waits = run.orders.journey.map((journey, k) => ({ journey,
            wait: run.orders.end[k] ? run.orders.ended[k] - run.orders.placed[k] : Infinity }))
            .filter((one) => t.model.journeys.has(one.journey))
            .sort((one, other) => other.wait - one.wait || one.journey - other.journey);
          const list = make("select", { id: "slow-" + t.number });
          list.append(make("option", { value: "" }, "slowest orders…"));
          for (const { journey, wait } of waits.slice(0, 25)) {
            const text = run.journeys[journey] + ": "
              + (wait === Infinity ? "not ended" : lengthText(wait));
            list.append(make("option", { value: journey }, text));
          }
          list.addEventListener("change", () => {
            if (list.value === "") return;
            t.select(Number(list.value));
            t.zoomToJourney();
          });
          const names = make("datalist", { id: "names-" + t.number });
          for (const { journey } of waits.slice(0, 2000)) {
            names.append(make("option", { value: run.journeys[journey] }));
          }
          t.search = make("input", { type: "search", list: "names-" + t.number, size: 14,
            placeholder: "order", "aria-label": "Show the journey of an order" });
          t.search.addEventListener("change", () => {
            const journey = run.journeys.indexOf(t.search.value.trim());
            if (t.search.value.trim() === "") t.select(-1);
            else if (t.model.journeys.has(journey)) { t.select(journey); t.zoomToJourney(); }
            else t.say("there is no order " + t.search.value);
          });
          return make("div", { class: "tools", role: "toolbar", "aria-label": "Timeline" },
            button("−", "Zoom out", () => t.zoom(1 / 0.6)),
            button("+", "Zoom in", () => t.zoom(0.6)),
            button("◀", "Earlier", () => t.pan(-0.4)), button("▶", "Later", () => t.pan(0.4)),
            button("Whole run", "Show the whole run", () => t.showAll()),
            button("Journey", "Zoom to the chosen journey", () => t.zoomToJourney()),
            t.search, names,
            make("label", { for: "slow-" + t.number, class: "unseen" }, "Slowest orders"), list,
            t.range);
        }

        /** The chosen journey as a table, which says in words what the picture shows. */
        function writeJourney(t) {
          const { run } = t;
          const numbers = t.model.journeys.get(t.journey);
          t.search.value = numbers ? run.journeys[t.journey] : "";
          if (!numbers) {
            t.panel.replaceChildren();
            return;
          }
          const order = t.model.orderOf.get(t.journey);
          const title = order === undefined ? run.journeys[t.journey]
            : orderLines(t, order).join(", ");
          const rows = numbers.map((i) => (
            { time: run.events.time[i], cells: eventCells(t, i), i }));
          for (const k of t.model.callsOf.get(t.journey) ?? []) {
            rows.push({ time: run.calls.time[k], i: -1, cells: [run.lanes[run.calls.lane[k]][0],
              run.calls.text[k], "", "", ""] });
          }
          rows.sort((one, other) => one.time - other.time);
          const body = make("tbody");
          for (const row of rows.slice(0, 400)) {
            const texts = [momentText(row.time, 1e4), ...row.cells];
            const isNow = row.i >= 0 && row.i === t.focus;
            const marks = isNow ? { class: "now", "aria-current": "true" } : {};
            body.append(make("tr", marks, ...texts.map((text) => make("td", {}, text))));
          }
          const head = ["Time", "Who", "What", "About", "Handled by", "Cause"].map(
            (text) => make("th", { scope: "col" }, text));
          t.panel.replaceChildren(make("h3", {}, title), make("div", { class: "wide" },
            make("table", {}, make("thead", {}, make("tr", {}, ...head)), body)));
        }

        function eventCells(t, i) {
          const { events, arrivals, types, subjects, lanes } = t.run;
          const handled = t.model.arrivalsOf[i].map((k) => {
            const took = lengthText(arrivals.time[k] - events.time[i]);
            return lanes[arrivals.lane[k]][0] + [" after " + took, ": dead letter after " + took,
              ": not handled"][arrivals.kind[k]];
          });
          const cause = events.cause[i];
          const mark = t.model.witness.has(i) ? " (witness)" : "";
          return [lanes[events.lane[i]][0], types[events.type[i]] + mark,
            subjects[events.subject[i]], handled.join(", "),
            cause < 0 ? "" : types[events.type[cause]]];
        }

        // The page itself.

        const timelines = new Map();
        let shownRun = -1;

        /** Shows the run that the address names, or the summary; all stand in the page. */
        function route() {
          const sections = [...document.querySelectorAll("section.run")];
          const summary = document.getElementById("summary");
          const named = sections.find((section) => "#" + section.id === location.hash);
          const shown = named ?? (summary ? null : sections[0]);
          for (const section of sections) section.hidden = section !== shown;
          if (summary) summary.hidden = shown !== null;
          shownRun = shown ? Number(shown.id.slice(4)) : -1;
          const place = shown?.querySelector(".timeline");
          if (place && !timelines.has(shownRun)) {
            timelines.set(shownRun, new Timeline(place, shownRun));
          } else {
            timelines.get(shownRun)?.later();
          }
          if (!place) root.dataset.drawn = JSON.stringify({ run: shownRun,
            rows: document.querySelectorAll("button.row").length });
          if (named) window.scrollTo(0, 0);
        }

        function redraw() { timelines.get(shownRun)?.draw(); }

        const theme = document.getElementById("theme");
        const store = {
          get() { try { return localStorage.getItem("squall-theme"); } catch { return null; } },
          set(value) { try { localStorage.setItem("squall-theme", value); } catch { return; } },
        };
        function setTheme(name) {
          if (name === "light" || name === "dark") root.dataset.theme = name;
          else delete root.dataset.theme;
          theme.textContent = "Theme: " + (root.dataset.theme ?? "automatic");
          redraw();
        }
        theme.hidden = false;
        theme.addEventListener("click", () => {
          const next = { automatic: "light", light: "dark", dark: "automatic" }[
            root.dataset.theme ?? "automatic"];
          store.set(next);
          setTheme(next);
        });
        setTheme(store.get());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

        for (const row of document.querySelectorAll("button.row")) {
          const details = document.getElementById(row.getAttribute("aria-controls"));
          const open = (isOpen) => {
            row.setAttribute("aria-expanded", String(isOpen));
            details.hidden = !isOpen;
          };
          open(false);
          row.addEventListener("click", () => open(details.hidden));
        }
        for (const copy of document.querySelectorAll("button.copy")) {
          copy.hidden = false;
          copy.addEventListener("click", async () => {
            const code = copy.parentElement.querySelector("code");
            try {
              await navigator.clipboard.writeText(code.textContent);
              copy.textContent = "Copied";
            } catch {
              getSelection().selectAllChildren(code);
              copy.textContent = "Press Ctrl+C";
            }
          });
        }
        let closed = [];
        window.addEventListener("beforeprint", () => {
          closed = [...document.querySelectorAll("details:not([open])")];
          for (const details of closed) details.open = true;
          const before = root.dataset.theme;
          root.dataset.theme = "light";
          redraw();
          if (before) root.dataset.theme = before; else delete root.dataset.theme;
        });
        window.addEventListener("afterprint", () => {
          for (const details of closed) details.open = false;
          redraw();
        });
        window.addEventListener("resize", () => timelines.get(shownRun)?.later());
        window.addEventListener("hashchange", route);
        route();
        """#
}
