/// The page's script, in parts that share one scope: what a timeline knows and how it is moved.
///
/// The other parts draw it (`ReportScript+Drawing`), draw the numbers under it
/// (`ReportScript+Numbers`), and put it into the page (`ReportScript+Page`).
enum ReportScript {
    static let timeline = #"""
        const root = document.documentElement;
        const errors = [];
        root.dataset.errors = "";
        window.addEventListener("error", (event) => {
          errors.push(String(event.message));
          root.dataset.errors = errors.join("\n");
        });
        const data = JSON.parse(document.getElementById("report-data").textContent);
        const HANDLED = 0, DEAD = 1, WAITING = 2;
        const ARROWS_MAX = 1500;

        const make = (tag, attributes = {}, ...children) => {
          const element = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes)) {
            if (value !== undefined && value !== false) element.setAttribute(name, value);
          }
          element.append(...children);
          return element;
        };
        const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

        /** A length of time in two to four digits. */
        const lengthText = (micros) => {
          if (micros < 1e3) return Math.round(micros) + " µs";
          if (micros < 1e6) return Number((micros / 1e3).toPrecision(3)) + " ms";
          return Number((micros / 1e6).toPrecision(4)) + " s";
        };
        /** A moment of the run, as exact as the part of it that is looked at deserves. */
        const momentText = (micros, span) => {
          const places = span > 2e7 ? 1 : span > 2e6 ? 2 : span > 2e4 ? 4 : 6;
          return (micros / 1e6).toFixed(places) + " s";
        };

        /** What is looked up again and again, worked out once. */
        function prepare(run) {
          const { events, arrivals } = run;
          const count = events.time.length;
          const model = { run, count, length: Math.max(run.length, 1), journeys: new Map() };
          for (let i = 0; i < count; i++) {
            const journey = events.journey[i];
            if (!model.journeys.has(journey)) model.journeys.set(journey, []);
            model.journeys.get(journey).push(i);
          }
          model.arrivalsOf = Array.from({ length: count }, () => []);
          arrivals.event.forEach((event, k) => model.arrivalsOf[event].push(k));
          model.orderOf = new Map();
          run.orders.journey.forEach((journey, k) => model.orderOf.set(journey, k));
          model.callsOf = new Map();
          run.calls.journey.forEach((journey, k) => {
            if (!model.callsOf.has(journey)) model.callsOf.set(journey, []);
            model.callsOf.get(journey).push(k);
          });
          const witness = new Set(run.witness);
          model.witness = new Set();
          events.id.forEach((id, i) => { if (witness.has(id)) model.witness.add(i); });
          model.active = activeStretch(run);
          model.bars = barsOf(run.faults);
          model.faultRows = packFaults(model.bars, run.length, model.active[1] - model.active[0]);
          return model;
        }

        /** The stretch of the run in which anything happened. */
        function activeStretch(run) {
          let [first, last] = [Infinity, 0];
          const see = (time) => { first = Math.min(first, time); last = Math.max(last, time); };
          run.events.time.forEach(see);
          for (const fault of run.faults) {
            if (fault.begin !== null) { see(fault.begin); see(fault.end ?? fault.begin); }
          }
          if (first >= last) return [0, Math.max(run.length, 1)];
          const margin = (last - first) * 0.02;
          return [first - margin, last + margin];
        }

        /** The same done to several links at once is one bar. */
        function barsOf(faults) {
          const bars = new Map();
          faults.forEach((fault, number) => {
            if (fault.begin === null) return;
            const some = fault.label.replace(/[^ ]+→[^ ]+/, "\u{2026}");
            const isLink = some !== fault.label;
            const key = isLink ? [some, fault.begin, fault.end].join("|") : number;
            const bar = bars.get(key);
            if (!bar) {
              bars.set(key, { ...fault, some, parts: [fault] });
            } else {
              bar.parts.push(fault);
              bar.lanes = [...new Set([...bar.lanes, ...fault.lanes])];
              bar.bitten += fault.bitten;
              bar.label = bar.some.replace("\u{2026}", bar.parts.length + " links");
            }
          });
          return [...bars.values()];
        }

        /** Faults in rows such that few of a row overlap. */
        function packFaults(bars, runLength, length) {
          const ends = [];
          const rows = [];
          const begun = bars.map((fault, number) => ({ fault, number })).filter(
            ({ fault }) => fault.begin !== null).sort(
            (one, other) => one.fault.begin - other.fault.begin);
          begun.forEach(({ fault, number }) => {
            const end = Math.max(fault.end ?? runLength, fault.begin + length * 0.24);
            let row = ends.findIndex((other) => other <= fault.begin);
            if (row < 0 && ends.length < 8) row = ends.push(0) - 1;
            if (row < 0) row = ends.indexOf(Math.min(...ends));
            ends[row] = Math.max(ends[row], end);
            (rows[row] ??= []).push(number);
          });
          return rows;
        }

        class Timeline {
          constructor(place, number) {
            this.place = place;
            this.number = number;
            this.model = prepare(data.runs[number]);
            this.run = this.model.run;
            [this.from, this.to] = this.model.active;
            this.journey = -1;
            this.focus = -1;
            this.pointer = null;
            this.hits = [];
            this.isDue = false;
            buildTimeline(this);
            const story = this.run.journeys.indexOf(this.run.journey);
            if (this.run.journey !== "" && this.model.journeys.has(story)) {
              this.select(story);
              if (this.run.outcome !== "passed") this.zoomToJourney();
            }
            this.draw();
          }

          get span() { return this.to - this.from; }

          x(time) { return this.left + (time - this.from) / this.span * this.inner; }
          time(x) { return this.from + (x - this.left) / this.inner * this.span; }
          laneY(lane) { return this.lanesTop + (lane + 0.5) * this.laneHeight; }

          show(from, to) {
            const least = 20, length = this.model.length * 1.02;
            const span = clamp(to - from, least, length);
            const middle = (from + to) / 2;
            const low = -this.model.length * 0.01;
            this.from = clamp(middle - span / 2, low, low + length - span);
            this.to = this.from + span;
            this.later();
          }

          zoom(factor, around = (this.from + this.to) / 2) {
            this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
          }

          pan(share) { this.show(this.from + share * this.span, this.to + share * this.span); }

          showAll() { this.show(-this.model.length * 0.01, this.model.length * 1.01); }

          zoomToJourney() {
            const numbers = this.model.journeys.get(this.journey);
            if (!numbers) return;
            const { events, arrivals, calls } = this.run;
            let first = Infinity, last = -Infinity;
            for (const i of numbers) {
              first = Math.min(first, events.time[i]);
              last = Math.max(last, events.time[i]);
              for (const k of this.model.arrivalsOf[i]) {
                if (arrivals.kind[k] !== WAITING) last = Math.max(last, arrivals.time[k]);
              }
            }
            for (const k of this.model.callsOf.get(this.journey) ?? []) {
              last = Math.max(last, calls.time[k]);
            }
            // What a projection takes in later would make the rest too small to see.
            const order = this.model.orderOf.get(this.journey);
            const ended = order === undefined ? -1 : this.run.orders.ended[order];
            if (ended > first) last = Math.min(last, ended + (ended - first) * 0.6 + 500);
            const margin = Math.max((last - first) * 0.08, 200);
            this.show(first - margin, last + margin);
          }

          select(journey) {
            this.journey = journey;
            this.focus = -1;
            writeJourney(this);
            this.later();
          }

          /** Goes to the next or previous event of the journey, or of what is in view. */
          step(by) {
            const { events } = this.run;
            let numbers = this.model.journeys.get(this.journey);
            if (!numbers) {
              numbers = [];
              for (let i = 0; i < this.model.count; i++) {
                if (events.time[i] >= this.from && events.time[i] <= this.to) numbers.push(i);
              }
            }
            if (!numbers.length) return;
            const place = numbers.indexOf(this.focus);
            const next = place < 0 ? (by > 0 ? 0 : numbers.length - 1) : place + by;
            this.focus = numbers[clamp(next, 0, numbers.length - 1)];
            const time = events.time[this.focus];
            if (time < this.from || time > this.to) {
              this.show(time - this.span / 2, time + this.span / 2);
            }
            this.say(eventLines(this, this.focus).join(", "));
            writeJourney(this);
            this.later();
          }

          say(text) { this.live.textContent = text; }

          later() {
            if (this.isDue) return;
            this.isDue = true;
            requestAnimationFrame(() => { this.isDue = false; this.draw(); });
          }

          draw() { drawTimeline(this); }

          key(event) {
            if (event.altKey || event.metaKey || event.ctrlKey) return;
            const actions = {
              "ArrowLeft": () => this.pan(-0.2), "ArrowRight": () => this.pan(0.2),
              "+": () => this.zoom(0.6), "=": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6),
              "ArrowUp": () => this.zoom(0.6), "ArrowDown": () => this.zoom(1 / 0.6),
              "0": () => this.showAll(), "Home": () => this.show(0, this.span),
              "End": () => this.show(this.model.length - this.span, this.model.length),
              "n": () => this.step(1), "p": () => this.step(-1), "j": () => this.zoomToJourney(),
              "Enter": () => {
                if (this.focus >= 0) this.select(this.run.events.journey[this.focus]);
              },
              "Escape": () => this.select(-1),
            };
            const action = actions[event.key];
            if (!action) return;
            event.preventDefault();
            action();
          }

          wheel(event) {
            const isOurs = event.ctrlKey || event.metaKey || this.stage.contains(
              document.activeElement);
            if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
              event.preventDefault();
              this.pan(event.deltaX / this.inner);
            } else if (isOurs) {
              event.preventDefault();
              const factor = Math.exp(clamp(event.deltaY, -240, 240) / 400);
              this.zoom(factor, this.time(event.offsetX));
            }
          }

          /** Dragging moves the picture; a press without a drag is a click. */
          press(event) {
            this.drag = { x: event.offsetX, from: this.from, to: this.to, moved: false };
            this.picture.setPointerCapture(event.pointerId);
          }

          move(event) {
            this.pointer = { x: event.offsetX, y: event.offsetY };
            if (this.drag) {
              const shift = event.offsetX - this.drag.x;
              if (Math.abs(shift) > 3) this.drag.moved = true;
              const by = -shift / this.inner * (this.drag.to - this.drag.from);
              if (this.drag.moved) this.show(this.drag.from + by, this.drag.to + by);
            }
            this.later();
          }

          release() {
            const wasClick = this.drag && !this.drag.moved;
            this.drag = null;
            if (!wasClick) return;
            const hit = nearest(this);
            if (hit && hit.journey !== undefined) this.select(hit.journey);
          }
        }
        """#
}
