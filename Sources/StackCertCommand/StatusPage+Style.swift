extension StatusPage {
    /// Colours only repeat what the words say. The drawing stretches, its lines do not.
    static let style: HTML = """
        :root { color-scheme: light dark; --lifetime: #2a7f62; --renewal: #d9a400; --today: #c2185b; --line: #8886; }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; }
        caption { text-align: left; padding-bottom: .5rem; }
        th, td { padding: .3rem .7rem; text-align: left; border-top: 1px solid var(--line); white-space: nowrap; }
        thead th { border-top: 0; vertical-align: top; }
        tr.note td { border-top: 0; white-space: normal; padding-left: 2rem; overflow-wrap: anywhere; }
        td.number { text-align: right; font-variant-numeric: tabular-nums; }
        th.lifetime, td.lifetime { width: 40%; min-width: 24rem; padding: 0; }
        th[scope=row], th[scope=row] + td { white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
        svg { display: block; width: 100%; height: 2.4rem; }
        rect.lifetime { fill: var(--lifetime); }
        rect.renewal { fill: var(--renewal); }
        line { vector-effect: non-scaling-stroke; stroke-width: 2px; }
        line.due { stroke: currentColor; }
        line.today { stroke: var(--today); }
        .axis { display: block; position: relative; height: 1.5rem; overflow: hidden; font-weight: normal; }
        .axis span { position: absolute; padding-left: .2rem; border-left: 1px solid var(--line); font-size: .8rem; }
        .legend { list-style: none; padding: 0; display: flex; gap: 1.5rem; flex-wrap: wrap; }
        .swatch { display: inline-block; width: 1.5rem; height: .8rem; }
        .swatch.lifetime { background: var(--lifetime); }
        .swatch.renewal { background: var(--renewal); }
        .swatch.today { background: var(--today); width: 2px; height: 1.2rem; vertical-align: middle; }
        .state { padding: .05rem .5rem; border: 2px solid currentColor; border-radius: .4rem; }
        .state.failing, .state.expired { color: #fff; background: #b3261e; border-color: #b3261e; }
        .state.due, .state.renewing { border-style: dashed; }
        .state.ok { border-color: transparent; }
        """
}
