"""The style of crawlkit's pages: light and dark, on a desk, on a phone, on paper. Nothing is loaded from anywhere."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #1b1f27; --soft: #5c6573; --line: #dfe3e9;
  --good: #1f7a4d; --bad: #b3261e; --warn: #946200; --main: #3056b8; --fill: #dbe4fa; --good-fill: #dff3e7;
  --bad-fill: #fbe4e2; --warn-fill: #fbf0d3; }
@media (prefers-color-scheme: dark) { :root { --paper: #13161b; --card: #1c2027; --ink: #e7eaef; --soft: #9aa4b2;
  --line: #313844; --good: #6fd29c; --bad: #ff9b92; --warn: #ecc062; --main: #96b4ff; --fill: #2a3759;
  --good-fill: #1d3a2b; --bad-fill: #4a2523; --warn-fill: #40351a; } }
* { box-sizing: border-box; }
html { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 1rem; }
footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem 2rem; color: var(--soft); font-size: .85rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
h3 { font-size: .95rem; margin: 1.25rem 0 .4rem; overflow-wrap: anywhere; }
a { color: var(--main); text-decoration: none; overflow-wrap: anywhere; }
a:hover { text-decoration: underline; }
.lead { color: var(--soft); margin: 0 0 1.25rem; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: .9rem; margin: -.5rem 0 .9rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.15rem 1.25rem;
  margin: 0 0 1rem; }
.badge { display: inline-block; border-radius: 1rem; padding: .05rem .7rem; font-size: .85rem; font-weight: 600;
  vertical-align: .2em; margin-left: .6rem; white-space: nowrap; }
.good { background: var(--good-fill); color: var(--good); }
.bad { background: var(--bad-fill); color: var(--bad); }
.warn { background: var(--warn-fill); color: var(--warn); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 0 0 1rem;
  padding: 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .7rem .9rem; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 1rem; }
.findings { margin: 0; padding: 0; list-style: none; }
.findings li { border-left: .25rem solid var(--bad); background: var(--bad-fill); border-radius: .3rem;
  padding: .6rem .85rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
.findings small { display: block; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: .8rem; }
th, td { padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 5.6rem; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; min-width: 0; width: 1%;
  padding-left: .6rem; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.bar { fill: var(--main); } .bar-bad { fill: var(--bad); } .axis { stroke: var(--line); stroke-width: 1; }
.track { fill: var(--fill); }
.key span { margin-right: 1rem; color: var(--soft); font-size: .85rem; }
.key i { display: inline-block; width: .7rem; height: .7rem; border-radius: .15rem; margin-right: .35rem; }
.key .of-pages { background: var(--main); } .key .of-bad { background: var(--bad); }
.meter { width: 6rem; height: .6rem; display: inline-block; border-radius: .3rem; overflow: hidden; }
.chart { height: 8rem; border-bottom: 1px solid var(--line); }
.spark { width: 7rem; height: 1.5rem; display: inline-block; }
.spark .last { fill: var(--main); } .spark rect { fill: var(--soft); opacity: .55; } .spark .last { opacity: 1; }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; margin: .25rem 0 0; }
.top { color: var(--soft); font-size: .8rem; margin: 0 0 .2rem; }
.bins { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; color: var(--soft); font-size: .7rem;
  text-align: center; margin: .25rem 0 0; white-space: nowrap; }
.quiet { color: var(--soft); }
del, ins { text-decoration: none; border-radius: .25rem; padding: 0 .25rem; overflow-wrap: anywhere;
  white-space: pre-wrap; }
del { background: var(--bad-fill); color: var(--bad); } ins { background: var(--good-fill); color: var(--good); }
.item { border-top: 1px solid var(--line); padding: .7rem 0; } .item:first-of-type { border-top: 0; padding-top: 0; }
.item h3 { margin: 0; } .item .of { color: var(--soft); font-size: .85rem; }
.item dl { display: grid; grid-template-columns: minmax(5rem, 11rem) 1fr; gap: .15rem .9rem; margin: .35rem 0 0;
  font-size: .9rem; }
.item dt { color: var(--soft); overflow-wrap: anywhere; } .item dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { main { padding: 1.1rem .8rem .5rem; } section { padding: .9rem .85rem; }
  h1 { font-size: 1.35rem; } .facts { grid-template-columns: repeat(2, 1fr); } .badge { margin-left: .3rem; }
  .item dl { grid-template-columns: 1fr; gap: 0; } .item dd { margin-bottom: .3rem; }
  .bins span:nth-child(even) { visibility: hidden; } }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --main: #3056b8;
  --good: #1f7a4d; --bad: #b3261e; --fill: #dbe4fa; --good-fill: #dff3e7; --bad-fill: #fbe4e2; }
  html { font-size: 12px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } section, .facts div, tr, .item { break-inside: avoid; }
  .scroll { overflow: visible; } a { color: inherit; } }
"""
