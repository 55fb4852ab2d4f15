/// How the page looks: on a bright screen, a dark one and on paper.
enum ReportStyle {
    private static let light = """
        --ground: #ffffff; --ink: #1b1e22; --faint: #59616a; --line: #d5dae0; --panel: #f4f6f8;
        --accent: #0a58c2; --good: #156f31; --bad: #b91c26; --doubt: #7a4f00; --fault: #b4530a;
        --hue-0: #0a58c2; --hue-1: #a3418f; --hue-2: #12766d; --hue-3: #b4530a; --hue-4: #5a49b8;
        --hue-5: #5f6f12; --hue-6: #b3304f; --hue-7: #3b6b8f;
        """
    private static let dark = """
        --ground: #14171b; --ink: #e7eaed; --faint: #a0a9b3; --line: #363e46; --panel: #1d2227;
        --accent: #74b3ff; --good: #55c98a; --bad: #ff857c; --doubt: #e5b64a; --fault: #ffab5e;
        --hue-0: #74b3ff; --hue-1: #e893d6; --hue-2: #5fcfc3; --hue-3: #ffab5e; --hue-4: #b4a8ff;
        --hue-5: #c3d465; --hue-6: #ff92aa; --hue-7: #97c6e8;
        """

    static let text = """
        :root { \(light) color-scheme: light; }
        @media (prefers-color-scheme: dark) { :root { \(dark) color-scheme: dark; } }
        :root[data-theme="light"] { \(light) color-scheme: light; }
        :root[data-theme="dark"] { \(dark) color-scheme: dark; }
        \(rules)
        @media print {
          :root, :root[data-theme] { \(light) color-scheme: light; }
          \(paper)
        }

        """

    private static let rules = """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        header.top, main { max-width: 1500px; margin: 0 auto; padding: 0 20px; }
        header.top { display: flex; justify-content: space-between; align-items: center; }
        .brand { font-weight: 650; letter-spacing: .02em; margin: 10px 0; }
        .brand span { font-weight: 400; color: var(--faint); }
        .skip { position: absolute; left: -9999px; }
        .skip:focus { left: 8px; top: 8px; background: var(--panel); padding: 6px; z-index: 9; }
        h1, h2 { font-size: 1.45rem; line-height: 1.3; margin: .3em 0; font-weight: 600; }
        h3 { font-size: 1.05rem; margin: 0 0 .2em; } h4 { margin: .6em 0 .1em; font-size: .9rem; }
        a { color: var(--accent); } small { color: var(--faint); font-size: .85em; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        button, select, input { font: inherit; color: inherit; background: var(--panel);
          border: 1px solid var(--line); border-radius: 6px; padding: 3px 10px; }
        button { cursor: pointer; } button:hover { border-color: var(--accent); }
        code, .story ol, .witness { font-family: ui-monospace, "SF Mono", Menlo, Consolas,
          "Liberation Mono", monospace; font-size: .87em; }
        .badge { display: inline-block; border: 2px solid currentColor; border-radius: 6px;
          padding: 0 .45em; font-weight: 700; font-size: .8em; white-space: nowrap;
          vertical-align: .08em; }
        .badge.passed { color: var(--good); } .badge.failed { color: var(--bad); }
        .badge.unknown { color: var(--doubt); } .badge.skipped { color: var(--faint); }
        .headline { margin: .2em 0 .8em; color: var(--faint); }
        .failure { border-left: 5px solid var(--bad); background: var(--panel);
          padding: 10px 14px; border-radius: 0 8px 8px 0; margin: 10px 0; }
        .failure.unknown { border-left-style: dashed; border-color: var(--doubt); }
        .failure p { margin: .1em 0; } .failure ul { margin: .1em 0; padding-left: 1.2em; }
        .failure li { overflow-wrap: anywhere; }
        .replay { margin: 10px 0; } .replay code { background: var(--panel); padding: 3px 8px;
          border: 1px solid var(--line); border-radius: 6px; overflow-wrap: anywhere; }
        details { margin: 14px 0; }
        summary { cursor: pointer; font-weight: 600; padding: 2px 0; }
        .story ol { list-style: none; margin: 4px 0; padding: 8px 12px; background: var(--panel);
          border-radius: 8px; max-height: 24em; overflow: auto; }
        .story li { white-space: pre-wrap; } .story li.fault { color: var(--fault); }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; min-width: 60%; font-size: .93em; }
        th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line);
          vertical-align: top; font-weight: 400; }
        thead th { color: var(--faint); font-weight: 600; white-space: nowrap; }
        table.summary { width: 100%; } table.summary th[scope="row"] button { text-align: left; }
        table.summary button.row { background: none; border: 0; padding: 0;
          color: var(--accent); font-weight: 600; }
        button.row::before { content: "▸ "; } button.row[aria-expanded="true"]::before {
          content: "▾ "; }
        tr.details > td { background: var(--panel); padding: 8px 14px; }
        ul.runs { margin: 4px 0; padding-left: 0; list-style: none; } ul.runs li { margin: 3px 0; }
        .promises tr.broken { color: var(--bad); } .promises tr.unknown { color: var(--doubt); }
        .foot { color: var(--faint); font-size: .88em; margin: 18px 0 40px; }
        .tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 8px 0; }
        .tools input, .tools select { max-width: 15em; } .tools label { color: var(--faint); }
        .range { color: var(--faint); font-variant-numeric: tabular-nums; margin-left: auto; }
        .stage { position: relative; border: 1px solid var(--line); border-radius: 8px;
          overflow: hidden; }
        .stage canvas { display: block; width: 100%; touch-action: pan-y; }
        canvas.picture { cursor: crosshair; } canvas.overview { cursor: ew-resize;
          border-bottom: 1px solid var(--line); }
        .tip { position: absolute; pointer-events: none; background: var(--ground);
          border: 1px solid var(--faint); border-radius: 6px; padding: 6px 9px; max-width: 380px;
          font-size: .84em; line-height: 1.4; box-shadow: 0 3px 12px #0004; z-index: 2; }
        .tip b { display: block; overflow-wrap: anywhere; }
        .tip span { display: block; color: var(--faint); overflow-wrap: anywhere; }
        .hint { color: var(--faint); font-size: .88em; margin: 6px 0; }
        .journey table { width: 100%; } .journey tr.now { background: var(--panel); }
        .journey td { overflow-wrap: anywhere; }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden;
          clip-path: inset(50%); }
        .timeline h3 { margin-top: 14px; }
        @media (max-width: 700px) { header.top, main { padding: 0 10px; }
          h1, h2 { font-size: 1.2rem; } .range { margin-left: 0; width: 100%; } }
        """

    private static let paper = """
        body { font-size: 10.5pt; } header.top button, .tools, .copy, .back, .tip, .skip,
        .hint.keys { display: none !important; }
          .story ol { max-height: none; overflow: visible; } .wide { overflow: visible; }
          .stage, .failure, tr { break-inside: avoid; } .stage canvas { max-width: 100%;
          height: auto !important; }
        """
}
