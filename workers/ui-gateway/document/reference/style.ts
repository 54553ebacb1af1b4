/** Of the reference. Its hash is in the page's policy. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 22%, transparent); --soft: light-dark(#52525b, #a8a8b3); scroll-padding-top: 1rem; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 82rem; padding: 1rem; color: light-dark(#18181b, #ececf1); background: light-dark(#fff, #16161a); }
a { color: light-dark(#1d4ed8, #93b4ff); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
main { min-width: 0; }
h1 { margin: 1rem 0 .5rem; }
h2 { margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { margin: 2rem 0 .5rem; }
details h3 { margin: 1.25rem 0 .5rem; font-size: 1rem; }
p { max-width: 46rem; }
code, pre { font: .875em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow: auto; padding: .75rem; overflow-wrap: normal; background: light-dark(#f4f4f5, #232329); border-radius: .4rem; }
summary { cursor: pointer; padding: .5rem 0; }
summary code { font-weight: 600; font-size: 1em; }
.method { display: inline-block; min-width: 4.25rem; font-weight: 700; font-size: .875rem; }
details { border-bottom: 1px solid var(--line); }
details > div { padding: 0 0 1rem; }
.soft { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
th { font-size: .875rem; color: var(--soft); font-weight: 600; }
td:first-child code { white-space: nowrap; }
p:target { scroll-margin-top: 4rem; }
:target { outline: 2px solid light-dark(#1d4ed8, #93b4ff); outline-offset: .25rem; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { padding: 0; border: 0; }
  td:first-child code { white-space: normal; font-weight: 600; }
}
@media (min-width: 64rem) {
  body { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 2.5rem; }
  nav { position: sticky; top: 1rem; align-self: start; flex-direction: column; flex-wrap: nowrap; gap: .4rem; border: 0; max-height: calc(100vh - 2rem); overflow: auto; }
}
`;
