extension ReportScript {
    /// Draws lanes, faults, arrows and what lies under the pointer.
    static let drawing = #"""
        /** The colours of the moment, and a hatching for faults that needs no colour. */
        function palette() {
          const style = getComputedStyle(root);
          const read = (name) => style.getPropertyValue("--" + name).trim();
          const colors = { hues: [] };
          for (const name of ["ground", "ink", "faint", "line", "panel", "accent", "good", "bad",
            "doubt", "fault"]) colors[name] = read(name);
          for (let i = 0; i < 8; i++) colors.hues.push(read("hue-" + i));
          return colors;
        }

        function hatching(context, color) {
          const tile = document.createElement("canvas");
          tile.width = tile.height = 8;
          const pen = tile.getContext("2d");
          pen.strokeStyle = color;
          pen.lineWidth = 1.4;
          pen.beginPath();
          for (const at of [-4, 4, 12]) { pen.moveTo(at - 4, 12); pen.lineTo(at + 12, -4); }
          pen.stroke();
          return context.createPattern(tile, "repeat");
        }

        function measure(t) {
          const width = Math.max(320, Math.floor(t.stage.clientWidth || 960));
          const run = t.run;
          t.width = width;
          t.left = width < 700 ? 84 : 118;
          t.inner = width - t.left - 14;
          t.faultsTop = 8;
          t.faultHeight = 20;
          t.lanesTop = t.faultsTop + t.model.faultRows.length * t.faultHeight + 12;
          t.laneHeight = width < 700 ? 34 : 42;
          t.lanesEnd = t.lanesTop + run.lanes.length * t.laneHeight;
          t.axisTop = t.lanesEnd + 4;
          t.legendHeight = width < 700 ? 34 : 0;
          t.lagTop = t.axisTop + 60 + t.legendHeight;
          t.lagEnd = t.lagTop + 92;
          t.waitTop = t.lagEnd + 42;
          t.waitEnd = run.orders.journey.length ? t.waitTop + 110 : t.lagEnd;
          t.height = t.waitEnd + 16;
        }

        function sized(canvas, width, height) {
          const ratio = Math.min(window.devicePixelRatio || 1, 3);
          const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
          if (canvas.width !== w || canvas.height !== h) {
            canvas.width = w;
            canvas.height = h;
            canvas.style.height = height + "px";
          }
          const context = canvas.getContext("2d");
          context.setTransform(ratio, 0, 0, ratio, 0, 0);
          context.clearRect(0, 0, width, height);
          return context;
        }

        function drawTimeline(t) {
          measure(t);
          t.colors = palette();
          const c = t.c = sized(t.picture, t.width, t.height);
          t.hatch = hatching(c, t.colors.fault);
          t.hits = [];
          c.font = "12px system-ui, sans-serif";
          c.textBaseline = "middle";
          drawLanes(t);
          drawFaults(t);
          c.save();
          c.beginPath();
          c.rect(t.left, t.lanesTop - 6, t.inner + 14, t.lanesEnd - t.lanesTop + 12);
          c.clip();
          const drawn = drawArrows(t);
          drawNotes(t);
          c.restore();
          drawAxis(t);
          drawNumbers(t);
          drawOverview(t);
          drawPointer(t);
          t.range.textContent = momentText(Math.max(t.from, 0), t.span) + " to "
            + momentText(Math.min(t.to, t.model.length), t.span) + ", " + drawn.text;
          if (t.number === shownRun) {
            root.dataset.drawn = JSON.stringify({
              run: t.number, lanes: t.run.lanes.length, faults: t.run.faults.length,
              mode: drawn.mode, arrows: drawn.arrows, events: t.model.count,
              orders: t.run.orders.journey.length, journey: t.run.journeys[t.journey] ?? "",
            });
          }
        }

        function drawLanes(t) {
          const { c, colors } = t;
          t.run.lanes.forEach(([name, kind], lane) => {
            const y = t.laneY(lane);
            if (lane % 2 === 0) {
              c.fillStyle = colors.panel;
              c.fillRect(0, y - t.laneHeight / 2, t.width, t.laneHeight);
            }
            c.strokeStyle = colors.line;
            c.setLineDash(kind === "service" ? [] : [4, 4]);
            line(c, t.left, y, t.left + t.inner, y);
            c.setLineDash([]);
            c.fillStyle = colors.ink;
            c.font = (kind === "service" ? "600 " : "italic ") + "12px system-ui, sans-serif";
            c.textAlign = "left";
            c.fillText(fitted(c, name, t.left - 14), 8, y);
          });
          c.font = "12px system-ui, sans-serif";
        }

        function line(c, x1, y1, x2, y2) {
          c.beginPath();
          c.moveTo(x1, y1);
          c.lineTo(x2, y2);
          c.stroke();
        }

        function fitted(c, text, width) {
          if (c.measureText(text).width <= width) return text;
          while (text.length > 1 && c.measureText(text + "…").width > width) {
            text = text.slice(0, -1);
          }
          return text + "…";
        }

        const bitText = (fault) => fault.bitten ? "bit " + fault.bitten + "×" : "did not bite";

        /** The bars of faults over all lanes, and their hatching in the lanes they were done to. */
        function drawFaults(t) {
          const { c, colors } = t;
          const bars = t.model.bars;
          if (t.model.faultRows.length) {
            c.fillStyle = colors.faint;
            c.fillText("⚡ faults", 8, t.faultsTop + t.faultHeight / 2);
          }
          c.save();
          c.beginPath();
          c.rect(t.left, 0, t.inner + 14, t.lanesEnd);
          c.clip();
          const isQuiet = bars.every((fault) => fault.begin === null
            || fault.begin > t.to || (fault.end ?? t.model.length) < t.from);
          if (isQuiet && t.model.faultRows.length) {
            c.fillStyle = colors.faint;
            c.fillText("none in this stretch", t.left + 4, t.faultsTop + t.faultHeight / 2);
          }
          t.model.faultRows.forEach((numbers, row) => {
            const y = t.faultsTop + row * t.faultHeight;
            numbers.forEach((number, place) => {
              const fault = bars[number];
              const [x1, x2] = faultEdges(t, fault);
              if (x2 < t.left || x1 > t.left + t.inner + 14) return;
              c.fillStyle = t.hatch;
              c.fillRect(x1, y + 2, x2 - x1, t.faultHeight - 5);
              c.strokeStyle = colors.fault;
              c.setLineDash(fault.bitten ? [] : [3, 3]);
              c.strokeRect(x1 + 0.5, y + 2.5, x2 - x1 - 1, t.faultHeight - 6);
              c.setLineDash([]);
              const next = numbers[place + 1];
              const room = (next === undefined ? t.left + t.inner + 14
                : t.x(bars[next].begin)) - Math.max(x1, t.left) - 8;
              const text = fitted(c, fault.label + " (" + bitText(fault) + ")", room);
              if (text.length > 4) {
                const at = Math.max(x1, t.left) + 4;
                c.fillStyle = colors.ground;
                c.globalAlpha = 0.85;
                c.fillRect(at - 2, y + 3.5, c.measureText(text).width + 4, t.faultHeight - 8);
                c.globalAlpha = 1;
                c.fillStyle = colors.ink;
                c.fillText(text, at, y + t.faultHeight / 2);
              }
              t.hits.push({ box: [x1, y, Math.max(x2, x1 + 40), y + t.faultHeight],
                lines: faultLines(t, fault) });
            });
          });
          for (const fault of bars) {
            if (fault.begin === null) continue;
            const [x1, x2] = faultEdges(t, fault);
            c.fillStyle = t.hatch;
            c.globalAlpha = 0.45;
            for (const lane of fault.lanes) {
              c.fillRect(x1, t.laneY(lane) - t.laneHeight / 2 + 2, x2 - x1, t.laneHeight - 4);
            }
            c.globalAlpha = 1;
          }
          c.restore();
        }

        function faultEdges(t, fault) {
          const x1 = t.x(fault.begin);
          return [x1, Math.max(t.x(fault.end ?? t.model.length), x1 + 3)];
        }

        function faultLines(t, fault) {
          const end = fault.end === null ? "the end of the run" : momentText(fault.end, 1e6);
          const texts = fault.parts.length === 1 ? ["⚡ " + fault.text]
            : fault.parts.map((part) => "⚡ " + part.text + ", " + bitText(part));
          return [...texts, momentText(fault.begin, 1e6) + " to " + end, bitText(fault)];
        }

        /** Draws each arrow where there is room, else how many go from where to where. */
        function drawArrows(t) {
          const { events, arrivals } = t.run;
          const visible = [];
          for (let k = 0; k < arrivals.event.length; k++) {
            const start = events.time[arrivals.event[k]];
            const end = arrivals.kind[k] === WAITING ? start : arrivals.time[k];
            if (start <= t.to && end >= t.from) visible.push(k);
          }
          const isSingle = visible.length <= ARROWS_MAX;
          if (isSingle) {
            for (const k of visible) {
              if (events.journey[arrivals.event[k]] !== t.journey) drawArrow(t, k, false);
            }
            for (let i = 0; i < t.model.count; i++) {
              const isIn = events.time[i] >= t.from && events.time[i] <= t.to;
              if (isIn && events.journey[i] !== t.journey) drawEvent(t, i, false);
            }
            t.run.calls.time.forEach((time, k) => {
              const isOther = t.run.calls.journey[k] !== t.journey;
              if (time >= t.from && time <= t.to && isOther) drawCall(t, k, false);
            });
          } else {
            drawFlows(t, visible);
            for (const k of visible) if (arrivals.kind[k] === DEAD) drawArrow(t, k, false);
            drawCallTicks(t);
          }
          for (const i of t.model.journeys.get(t.journey) ?? []) {
            for (const k of t.model.arrivalsOf[i]) drawArrow(t, k, true);
          }
          for (const k of t.model.callsOf.get(t.journey) ?? []) drawCall(t, k, true);
          for (const i of t.model.journeys.get(t.journey) ?? []) drawEvent(t, i, true);
          for (const i of t.model.witness) drawWitness(t, i);
          return {
            mode: isSingle ? "arrows" : "flows", arrows: visible.length,
            text: isSingle ? visible.length + " messages"
              : visible.length + " messages: zoom in to see each",
          };
        }

        function drawArrow(t, k, isChosen) {
          const { events, arrivals } = t.run;
          const event = arrivals.event[k], kind = arrivals.kind[k];
          const lane = events.lane[event];
          const x1 = t.x(events.time[event]), y1 = t.laneY(lane);
          const x2 = kind === WAITING ? Math.min(x1 + 30, t.x(arrivals.time[k]))
            : t.x(arrivals.time[k]);
          let y2 = t.laneY(arrivals.lane[k]);
          if (kind === WAITING) y2 = y1 + (y2 - y1) * 0.6;
          const { c, colors } = t;
          const isFaded = t.journey >= 0 && !isChosen;
          c.globalAlpha = isChosen ? 1 : isFaded ? 0.22 : 0.62;
          c.strokeStyle = c.fillStyle = kind === DEAD ? colors.bad
            : isChosen ? colors.accent : colors.hues[lane % 8];
          c.lineWidth = isChosen ? 2.2 : 1;
          if (kind === WAITING) c.setLineDash([4, 3]);
          if (y1 === y2) {
            // A service tells itself something: an arc over its lane.
            c.beginPath();
            c.ellipse((x1 + x2) / 2, y1, Math.max((x2 - x1) / 2, 2), 9, 0, Math.PI, 0);
            c.stroke();
          } else {
            line(c, x1, y1, x2, y2);
          }
          c.setLineDash([]);
          if (kind === HANDLED) head(c, x1, y1, x2, y2, isChosen ? 8 : 6);
          if (kind === DEAD) {
            c.lineWidth = 2.2;
            line(c, x2 - 5, y2 - 5, x2 + 5, y2 + 5);
            line(c, x2 - 5, y2 + 5, x2 + 5, y2 - 5);
          }
          if (kind === WAITING) {
            c.beginPath();
            c.arc(x2, y2, 3.5, 0, 7);
            c.stroke();
          }
          c.lineWidth = 1;
          c.globalAlpha = 1;
          t.hits.push({ segment: [x1, y1, x2, y2], journey: events.journey[event], arrival: k });
        }

        function head(c, x1, y1, x2, y2, size) {
          const angle = y1 === y2 ? Math.PI / 2 : Math.atan2(y2 - y1, x2 - x1);
          c.beginPath();
          c.moveTo(x2, y2);
          for (const side of [-0.42, 0.42]) {
            c.lineTo(x2 - size * Math.cos(angle + side), y2 - size * Math.sin(angle + side));
          }
          c.fill();
        }

        function drawEvent(t, i, isChosen) {
          const { c, colors, run } = t;
          const x = t.x(run.events.time[i]), y = t.laneY(run.events.lane[i]);
          c.globalAlpha = t.journey >= 0 && !isChosen ? 0.3 : 1;
          c.fillStyle = isChosen ? colors.accent : colors.hues[run.events.lane[i] % 8];
          c.beginPath();
          c.arc(x, y, isChosen ? 4.5 : 2.6, 0, 7);
          c.fill();
          c.globalAlpha = 1;
          if (i === t.focus) {
            c.strokeStyle = colors.ink;
            c.lineWidth = 2;
            c.strokeRect(x - 8, y - 8, 16, 16);
            c.lineWidth = 1;
          }
          t.hits.push({ dot: [x, y], journey: run.events.journey[i], event: i });
        }

        /** What an outside party did: a diamond in its lane, under a line from the caller. */
        function drawCall(t, k, isChosen) {
          const { c, colors, run } = t;
          const x = t.x(run.calls.time[k]), y = t.laneY(run.calls.lane[k]);
          c.globalAlpha = t.journey >= 0 && !isChosen ? 0.22 : 0.8;
          c.strokeStyle = c.fillStyle = isChosen ? colors.accent : colors.faint;
          c.lineWidth = isChosen ? 2 : 1;
          c.setLineDash([2, 3]);
          if (run.calls.from[k] >= 0) line(c, x, t.laneY(run.calls.from[k]), x, y);
          c.setLineDash([]);
          diamond(c, x, y, isChosen ? 6 : 4);
          c.lineWidth = 1;
          c.globalAlpha = 1;
          t.hits.push({ dot: [x, y], journey: run.calls.journey[k],
            lines: [run.lanes[run.calls.lane[k]][0] + ": " + run.calls.text[k],
              momentText(run.calls.time[k], 1)] });
        }

        /** Many calls at once: a diamond at most every few points. */
        function drawCallTicks(t) {
          const last = new Map();
          t.c.fillStyle = t.colors.faint;
          t.run.calls.time.forEach((time, k) => {
            const x = t.x(time), lane = t.run.calls.lane[k];
            if (x < t.left || x > t.left + t.inner || x - (last.get(lane) ?? -99) < 5) return;
            last.set(lane, x);
            diamond(t.c, x, t.laneY(lane), 3.5);
          });
        }

        function diamond(c, x, y, size) {
          c.beginPath();
          c.moveTo(x, y - size);
          c.lineTo(x + size, y);
          c.lineTo(x, y + size);
          c.lineTo(x - size, y);
          c.closePath();
          c.fill();
        }

        function drawWitness(t, i) {
          const { c, colors, run } = t;
          const x = t.x(run.events.time[i]), y = t.laneY(run.events.lane[i]);
          if (x < t.left || x > t.left + t.inner) return;
          c.strokeStyle = colors.bad;
          c.lineWidth = 2;
          c.beginPath();
          c.arc(x, y, 10, 0, 7);
          c.stroke();
          c.lineWidth = 1;
          c.fillStyle = colors.bad;
          c.fillText("witness", Math.min(x + 13, t.left + t.inner - 46), y - 11);
        }

        /** Many messages at once: one arrow a direction and stretch, the thicker the more. */
        function drawFlows(t, visible) {
          const { events, arrivals, lanes } = t.run;
          const { c, colors } = t;
          const width = Math.max(26, t.inner / 60);
          const flows = new Map();
          for (const k of visible) {
            if (arrivals.kind[k] === WAITING) continue;
            const event = arrivals.event[k];
            const slot = Math.floor((t.x(events.time[event]) - t.left) / width);
            const key = (slot * lanes.length + events.lane[event]) * lanes.length
              + arrivals.lane[k];
            const flow = flows.get(key);
            if (flow) { flow.count++; flow.end += arrivals.time[k]; } else {
              flows.set(key, { slot, from: events.lane[event], to: arrivals.lane[k], count: 1,
                end: arrivals.time[k] });
            }
          }
          for (const flow of flows.values()) {
            const shift = (flow.from + 0.5) / lanes.length;
            const x1 = t.left + (flow.slot + shift) * width;
            const x2 = Math.max(x1 + 3, Math.min(t.x(flow.end / flow.count), x1 + width));
            const y1 = t.laneY(flow.from), y2 = t.laneY(flow.to);
            c.globalAlpha = t.journey >= 0 ? 0.25 : 0.5;
            c.strokeStyle = c.fillStyle = colors.hues[flow.from % 8];
            c.lineWidth = 0.7 + Math.log2(flow.count) * 0.55;
            line(c, x1, y1, x2, y2);
            head(c, x1, y1, x2, y2, 5 + c.lineWidth);
            const from = momentText(t.time(t.left + flow.slot * width), t.span);
            t.hits.push({ segment: [x1, y1, x2, y2],
              lines: [lanes[flow.from][0] + " → " + lanes[flow.to][0],
                flow.count + " messages from " + from + " on"] });
          }
          c.lineWidth = 1;
          c.globalAlpha = 1;
        }
        """#
}
