/** Rules that hold for every file of the user interface: whatever comes from a peer is text, and nothing is remote. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ui = fileURLToPath(new URL('..', import.meta.url));

const sources = ['src', 'client/src'].flatMap((folder) =>
  readdirSync(`${ui}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|svelte|css|html)$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => ({
      path: `${folder}/${path}`,
      text: readFileSync(`${ui}/${folder}/${path}`, 'utf8').replace(/^\/\/.*$/gm, ''),
    })),
);
for (const path of ['index.html', 'guest.html', 'inspector.html']) sources.push({ path, text: readFileSync(`${ui}/${path}`, 'utf8') });

/** Each way to make elements or code of text, with a line that uses it. */
const FORBIDDEN: readonly (readonly [what: RegExp, line: string])[] = [
  [/\{@html\b/, '{@html name}'],
  [/\binnerHTML\b/, 'row.innerHTML = name'],
  [/\bouterHTML\b/, 'row.outerHTML = name'],
  [/\binsertAdjacentHTML\b/, "row.insertAdjacentHTML('beforeend', name)"],
  [/\bsetHTML(Unsafe)?\b/, 'row.setHTMLUnsafe(name)'],
  [/\bparse(HTMLUnsafe|FromString)\b/, "new DOMParser().parseFromString(name, 'text/html')"],
  [/\bcreateContextualFragment\b/, 'range.createContextualFragment(name)'],
  [/\bcreateRawSnippet\b/, 'createRawSnippet(() => ({ render: () => name }))'],
  [/\bdocument\.write/, 'document.write(name)'],
  [/\bsrcdoc\b/, '<iframe srcdoc={name}></iframe>'],
  [/\beval\s*\(/, 'eval(name)'],
  [/\bFunction\s*\(/, 'new Function(name)'],
  [/\bset(Timeout|Interval)\s*\(\s*['"`]/, "setTimeout('alert(1)')"],
  [/javascript:/i, '<a href="javascript:alert(1)">'],
  [/\bwindow\.open\b/, 'window.open(address)'],
  [/<(iframe|object|embed|base|form[^>]*\baction)\b/i, '<iframe>'],
  [/\b(href|src|formaction)=\{/, '<a href={address}>'],
  [/\{\.\.\.[^}]*\b(presence|metadata)\b/, '<div {...member.presence}>'],
];

it.each(FORBIDDEN)('no file has %s', (what, line) => {
  expect(line).toMatch(what);
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.filter(({ text }) => what.test(text)).map(({ path }) => path)).toEqual([]);
});

it('an address becomes something to click in one place, which takes no other than http and https', () => {
  const led = /\.(href|src|action|formAction)\s*=(?!=)|setAttribute(NS)?\(|\blocation\s*=(?!=)/;
  expect('anchor.href = address').toMatch(led);
  expect("anchor.setAttribute('href', address)").toMatch(led);
  // The others hand over a file that this window made, or lead to another page of the same peer.
  const places = [
    'src/messages/leads-to.ts',
    'src/messages/save-file.ts',
    'src/board/board-transfer.ts',
    'client/src/web.ts',
  ];
  expect(sources.filter(({ path, text }) => led.test(text) && !places.includes(path)).map(({ path }) => path)).toEqual(
    [],
  );
});

it('nothing is loaded from elsewhere', () => {
  const remote = /["'`(=](https?:)?\/\/(?!127\.0\.0\.1|localhost|ipc\.localhost|www\.w3\.org)[a-z]/i;
  expect('<img src="//evil.example/a">').toMatch(remote);
  expect(sources.filter(({ text }) => remote.test(text)).map(({ path }) => path)).toEqual([]);
});

it('the simulated peer is asked for in one place, which no build that people get has', () => {
  const asks = (what: RegExp) => sources.filter(({ text }) => what.test(text)).map(({ path }) => path);
  expect(asks(/parlor-client\/fake['"]|\/fake['"]/)).toEqual(['src/fake-search.ts']);
  expect(asks(/fake-search['"]/)).toEqual(['src/main.ts']);
  const main = sources.find(({ path }) => path === 'src/main.ts')?.text ?? '';
  expect(main).toMatch(/if \(__FAKE__ [^{]*\{\s*const \{ fakeFromSearch \} = await import\('\.\/fake-search'\)/);
});

it('the sample room has no way to a network or a disk', () => {
  const sample = sources.filter(({ path }) => path.startsWith('src/sample/'));
  expect(sample.length).toBeGreaterThan(3);
  const ways =
    /\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|localStorage|sessionStorage|indexedDB|BroadcastChannel|invoke)\b/;
  expect('await fetch(origin)').toMatch(ways);
  expect(sample.filter(({ text }) => ways.test(text)).map(({ path }) => path)).toEqual([]);
  // Nothing that it takes from elsewhere is a way out either: pure rules, the types of the client, and the words.
  const taken = sample.flatMap(({ text }) => [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from));
  expect(
    taken.filter((from) => !/^(parlor-client|\.\/[a-z-]+|\.\.\/domain\/[a-z-]+|\.\.\/i18n)$/.test(from ?? '')),
  ).toEqual([]);
});
