extension ReportScript {
    /// Draws the axis, the notes, lag and latency, and finds what lies under the pointer.
    static let numbers = #"""
        const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 4], [2, 5], [6, 2, 2, 2]];

        function drawNotes(t) {
          const { c, colors, run } = t;
          let last = new Map();
          for (const [time, lane, text] of run.notes) {
            if (time < t.from || time > t.to) continue;
            const x = t.x(time);
            const y = lane >= 0 ? t.laneY(lane) + t.laneHeight / 2 - 6 : t.lanesTop - 1;
            t.hits.push({ dot: [x, y], lines: ["▲ " + text, momentText(time, 1)] });
            if (x - (last.get(lane) ?? -99) < 3) continue;
            last.set(lane, x);
            c.fillStyle = colors.fault;
            c.beginPath();
            c.moveTo(x, y - 5);
            c.lineTo(x + 4.5, y + 4);
            c.lineTo(x - 4.5, y + 4);
            c.fill();
          }
        }

        function drawAxis(t) {
          const { c, colors } = t;
          const rough = t.span / Math.max(2, Math.floor(t.inner / 95));
          const power = 10 ** Math.floor(Math.log10(rough));
          const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
          c.textAlign = "center";
          for (let at = Math.ceil(t.from / step) * step; at <= t.to; at += step) {
            const x = t.x(at);
            if (x < t.left) continue;
            c.strokeStyle = colors.line;
            line(c, x, t.lanesTop, x, t.waitEnd);
            c.fillStyle = colors.faint;
            const places = Math.max(0, -Math.floor(Math.log10(step / 1e6)));
            const text = (at / 1e6).toFixed(places) + " s";
            const half = c.measureText(text).width / 2;
            c.fillText(text, clamp(x, t.left + half, t.left + t.inner + 10 - half), t.axisTop + 10);
          }
          c.textAlign = "left";
        }

        function shadeFaults(t, top, bottom) {
          const { c } = t;
          c.fillStyle = t.hatch;
          c.globalAlpha = 0.22;
          for (const fault of t.model.bars) {
            if (fault.begin === null) continue;
            const [x1, x2] = faultEdges(t, fault);
            const left = Math.max(x1, t.left), right = Math.min(x2, t.left + t.inner);
            if (right > left) c.fillRect(left, top, right - left, bottom - top);
          }
          c.globalAlpha = 1;
        }

        function frame(t, top, bottom, title, above = 0) {
          const { c, colors } = t;
          shadeFaults(t, top, bottom);
          c.strokeStyle = colors.line;
          c.strokeRect(t.left + 0.5, top + 0.5, t.inner - 1, bottom - top - 1);
          c.fillStyle = colors.ink;
          c.font = "600 12px system-ui, sans-serif";
          c.fillText(title, 8, top - 12 - above);
          c.font = "12px system-ui, sans-serif";
        }

        function drawNumbers(t) {
          drawLag(t);
          if (t.run.orders.journey.length) drawLatency(t);
        }

        function lagIn(t, series) {
          const first = clamp(Math.floor(t.from / t.run.lagStep), 0, series.most.length - 1);
          const last = clamp(Math.ceil(t.to / t.run.lagStep), first, series.most.length - 1);
          return [first, last];
        }

        function drawLag(t) {
          const { c, colors, run } = t;
          frame(t, t.lagTop, t.lagEnd, "Lag: events that wait", t.legendHeight);
          let top = 1;
          for (const series of run.lag) {
            const [first, last] = lagIn(t, series);
            for (let i = first; i <= last; i++) top = Math.max(top, series.most[i]);
          }
          const y = (value) => t.lagEnd - 3 - value / top * (t.lagEnd - t.lagTop - 8);
          c.fillStyle = colors.faint;
          c.textAlign = "right";
          c.fillText(String(top), t.left - 6, y(top) + 3);
          c.fillText("0", t.left - 6, t.lagEnd - 5);
          c.textAlign = "left";
          let [legend, row] = t.legendHeight ? [8, t.lagTop - 28] : [t.left + 70, t.lagTop - 12];
          c.save();
          for (const [place, series] of run.lag.entries()) {
            const name = run.lanes[series.lane][0];
            c.strokeStyle = colors.hues[series.lane % 8];
            c.setLineDash(DASHES[place % 8]);
            c.lineWidth = 2;
            const room = 44 + c.measureText(name).width;
            if (t.legendHeight && legend + room > t.width) [legend, row] = [8, row + 17];
            line(c, legend, row, legend + 26, row);
            c.fillStyle = colors.ink;
            c.fillText(name, legend + 31, row);
            legend += room;
            c.save();
            c.beginPath();
            c.rect(t.left, t.lagTop, t.inner, t.lagEnd - t.lagTop);
            c.clip();
            c.lineWidth = 1.6;
            c.beginPath();
            const [first, last] = lagIn(t, series);
            for (let i = first; i <= last; i++) {
              const x1 = t.x(i * run.lagStep), x2 = t.x((i + 1) * run.lagStep);
              if (i === first) c.moveTo(x1, y(series.most[i]));
              c.lineTo(x1, y(series.most[i]));
              c.lineTo(x2, y(series.most[i]));
            }
            c.stroke();
            c.restore();
          }
          c.restore();
          c.setLineDash([]);
          c.lineWidth = 1;
          t.hits.push({ box: [t.left, t.lagTop, t.left + t.inner, t.lagEnd], lag: true });
        }

        function drawLatency(t) {
          const { c, colors, run } = t;
          const { orders } = run;
          frame(t, t.waitTop, t.waitEnd, "Latency: from order to end");
          let least = Infinity, most = 1;
          orders.ended.forEach((ended, k) => {
            if (ended < 0) return;
            const wait = Math.max(1, ended - orders.placed[k]);
            least = Math.min(least, wait);
            most = Math.max(most, wait);
          });
          if (least > most) { least = 1e3; most = 1e6; }
          const low = Math.floor(Math.log10(least)), high = Math.max(low + 1,
            Math.ceil(Math.log10(most)));
          const y = (wait) => t.waitEnd - 4
            - (Math.log10(Math.max(wait, 1)) - low) / (high - low) * (t.waitEnd - t.waitTop - 10);
          for (let power = low; power <= high; power++) {
            c.strokeStyle = colors.line;
            line(c, t.left, y(10 ** power), t.left + t.inner, y(10 ** power));
            c.fillStyle = colors.faint;
            c.textAlign = "right";
            c.fillText(lengthText(10 ** power), t.left - 6, y(10 ** power));
          }
          c.textAlign = "left";
          c.save();
          c.beginPath();
          c.rect(t.left, t.waitTop, t.inner, t.waitEnd - t.waitTop);
          c.clip();
          orders.ended.forEach((ended, k) => {
            const isOpen = orders.end[k] === 0;
            const end = isOpen ? t.model.length : ended;
            if (end < t.from || end > t.to) return;
            drawWait(t, k, t.x(end), y(end - orders.placed[k]), isOpen);
          });
          c.restore();
          if (t.width >= 700) {
            c.fillStyle = colors.faint;
            c.textAlign = "right";
            c.fillText("● confirmed   × cancelled   ○ not ended", t.left + t.inner, t.waitTop - 12);
            c.textAlign = "left";
          }
        }

        function drawWait(t, k, x, y, isOpen) {
          const { c, colors, run } = t;
          const isChosen = run.orders.journey[k] === t.journey;
          const size = isChosen ? 6 : 2.6;
          c.globalAlpha = isChosen || t.journey < 0 ? 0.9 : 0.5;
          c.strokeStyle = c.fillStyle = isChosen ? colors.accent
            : isOpen ? colors.bad : run.orders.end[k] === 2 ? colors.doubt : colors.good;
          c.lineWidth = isChosen ? 2.4 : 1.3;
          if (run.orders.end[k] === 2) {
            line(c, x - size, y - size, x + size, y + size);
            line(c, x - size, y + size, x + size, y - size);
          } else {
            c.beginPath();
            c.arc(x, y, size, 0, 7);
            if (isOpen) c.stroke(); else c.fill();
          }
          c.lineWidth = 1;
          c.globalAlpha = 1;
          t.hits.push({ dot: [x, y], journey: run.orders.journey[k], lines: orderLines(t, k) });
        }

        function orderLines(t, k) {
          const { orders, journeys } = t.run;
          const wait = orders.ended[k] - orders.placed[k];
          const end = ["not ended", "confirmed", "cancelled"][orders.end[k]];
          return [journeys[orders.journey[k]],
            end + (orders.end[k] ? " after " + lengthText(wait) : ""),
            "placed at " + momentText(orders.placed[k], 1e6)];
        }

        /** The whole run in a strip, with a frame around what is shown. */
        function drawOverview(t) {
          const height = 34;
          const c = sized(t.overview, t.width, height);
          const { events } = t.run;
          const x = (time) => t.left + time / t.model.length * t.inner;
          const counts = new Array(Math.ceil(t.inner / 3) + 1).fill(0);
          for (let i = 0; i < t.model.count; i++) {
            const slot = Math.floor(events.time[i] / t.model.length * t.inner / 3);
            counts[clamp(slot, 0, counts.length - 1)]++;
          }
          const most = Math.max(1, ...counts);
          c.fillStyle = t.colors.faint;
          counts.forEach((count, slot) => {
            const bar = count ? 2 + count / most * (height - 8) : 0;
            c.fillRect(t.left + slot * 3, height - bar, 2, bar);
          });
          c.fillStyle = hatching(c, t.colors.fault);
          for (const fault of t.model.bars) {
            if (fault.begin === null) continue;
            const left = x(fault.begin);
            c.fillRect(left, 0, Math.max(2, x(fault.end ?? t.model.length) - left), 6);
          }
          const left = clamp(x(t.from), t.left - 2, t.width);
          const right = clamp(x(t.to), 0, t.width - 8);
          c.strokeStyle = t.colors.accent;
          c.lineWidth = 2;
          c.strokeRect(left, 1, Math.max(4, right - left), height - 2);
          c.fillStyle = t.colors.ink;
          c.font = "12px system-ui, sans-serif";
          c.textBaseline = "middle";
          c.fillText("whole run", 8, height / 2);
        }

        // What lies under the pointer.

        function distance([x1, y1, x2, y2], { x, y }) {
          const [dx, dy] = [x2 - x1, y2 - y1];
          const square = dx * dx + dy * dy;
          const share = square ? clamp(((x - x1) * dx + (y - y1) * dy) / square, 0, 1) : 0;
          return Math.hypot(x - x1 - share * dx, y - y1 - share * dy);
        }

        function nearest(t) {
          if (!t.pointer) return null;
          let best = null, least = 9;
          for (const hit of t.hits) {
            let far = Infinity;
            if (hit.dot) far = Math.hypot(t.pointer.x - hit.dot[0], t.pointer.y - hit.dot[1]) - 2;
            if (hit.segment) far = distance(hit.segment, t.pointer);
            if (hit.box && t.pointer.x >= hit.box[0] && t.pointer.x <= hit.box[2]
              && t.pointer.y >= hit.box[1] && t.pointer.y <= hit.box[3]) far = 8.9;
            if (far <= least && !(best && best.journey === t.journey && far > least - 1
              && hit.journey !== t.journey)) { least = far; best = hit; }
          }
          return best;
        }

        function eventLines(t, i) {
          const { events, types, subjects, topics, lanes } = t.run;
          const cause = events.cause[i];
          return [types[events.type[i]],
            lanes[events.lane[i]][0] + " about " + subjects[events.subject[i]],
            "at " + momentText(events.time[i], 1),
            "cause " + (cause < 0 ? "none"
              : types[events.type[cause]] + " " + events.id[cause].slice(0, 8)),
            "id " + events.id[i],
            topics[events.topic[i]] + "/" + events.partition[i] + "@" + events.offset[i]];
        }

        function hitLines(t, hit) {
          if (hit.lines) return hit.lines;
          if (hit.event !== undefined) return eventLines(t, hit.event);
          if (hit.arrival !== undefined) {
            const { arrivals, events, lanes } = t.run;
            const k = hit.arrival, event = arrivals.event[k];
            const to = lanes[arrivals.lane[k]][0];
            const took = lengthText(arrivals.time[k] - events.time[event]);
            const lines = eventLines(t, event);
            lines.splice(2, 1, lines[2] + ", " + ["handled by " + to + " after " + took,
              "dead letter of " + to + " after " + took,
              "not handled by " + to + " when the run ended"][arrivals.kind[k]]);
            return lines;
          }
          const slot = Math.floor(t.time(t.pointer.x) / t.run.lagStep);
          return ["Lag at " + momentText(t.time(t.pointer.x), t.span)].concat(t.run.lag.map(
            (series) => t.run.lanes[series.lane][0] + ": " + (series.most[slot] ?? 0)));
        }

        function drawPointer(t) {
          const hit = t.drag?.moved ? null : nearest(t);
          const focus = t.focus >= 0 && !t.pointer ? t.focus : -1;
          if (!hit && focus < 0) {
            t.tip.hidden = true;
            return;
          }
          const [title, ...rest] = hit ? hitLines(t, hit) : eventLines(t, focus);
          const lines = rest.map((text) => make("span", {}, text));
          t.tip.replaceChildren(make("b", {}, title), ...lines);
          t.tip.hidden = false;
          const at = hit ? t.pointer : { x: t.x(t.run.events.time[focus]),
            y: t.laneY(t.run.events.lane[focus]) };
          const width = t.tip.offsetWidth, height = t.tip.offsetHeight;
          const left = at.x + 16 + width > t.width ? at.x - width - 16 : at.x + 16;
          t.tip.style.left = clamp(left, 4, Math.max(4, t.width - width - 4)) + "px";
          const top = at.y + 50 + height > t.height + 34 ? at.y + 34 - height - 8 : at.y + 50;
          t.tip.style.top = Math.max(4, top) + "px";
        }
        """#
}
