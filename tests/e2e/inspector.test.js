/** The inspector, on a page of its own: real peers tell what they do, and it says what that means. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { isAccessible } from './accessible.js';
import { launch, openPage, picture } from './browser.js';
import { Peer } from './peer.js';
import { until } from './until.js';

const ROOM = '/rooms/Deck%203';
let browser;
let crew = [];

before(async () => void (browser = await launch()));
after(async () => {
  await browser?.close();
  await Promise.all(crew.map((peer) => peer.stop()));
});

/** A peer with a name, in the room. */
async function arrive(name, ...others) {
  const peer = await Peer.start(...others);
  crew.push(peer);
  await does(peer, '/profile', { name });
  await does(peer, `${ROOM}/join`, { presence: { status: 'here' }, presenceTtlSeconds: 3600 });
  return peer;
}

async function does(peer, path, body) {
  const { status, body: answer } = await peer.post(path, body);
  assert.ok(status === 200 || status === 201, `${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** The inspector of a peer, with what tests ask of it. */
async function inspect(peer, panel, options = {}) {
  const page = await openPage(browser, `${peer.http}/inspector#token=${peer.token}`, options);
  page.at = (id) => page.locator(`[data-testid="${id}"]`);
  page.show = async (name) => {
    await page.at(`tab-${name}`).click();
    await page.locator(`[data-panel=${name}]`).waitFor();
  };
  page.filter = (words) => page.at('filter').fill(words);
  page.cells = (column) => page.locator(`[data-column="${column}"]`).allTextContents();
  await page.at('tab-registers').waitFor();
  if (panel !== undefined) await page.show(panel);
  return page;
}

/** What went wrong on a page. A snapshot is taken by a stream that is given up behind its first event. */
const troubles = (page) => page.troubles.filter((words) => !/\/inspect net::ERR_ABORTED/.test(words));

describe('two peers', () => {
  let otter, heron, page;

  before(async () => {
    otter = await arrive('Quiet Otter');
    heron = await arrive('Brisk Heron');
    // Each writes before they meet, the otter later.
    await does(heron, `${ROOM}/metadata`, { metadata: { title: 'Written by the heron' } });
    await does(otter, `${ROOM}/metadata`, { metadata: { title: 'Written by the otter' } });
    page = await inspect(heron, 'registers');
    await until('the title', async () => (await page.cells('value')).includes('"Written by the heron"'));
    await does(heron, '/peers', { addr: otter.listen[0] });
  });
  after(() => page?.context().close());

  test('a losing write shows why it lost', async () => {
    await page.filter('key:title kind:metadata');
    await until('the value of the other', async () => (await page.cells('value')).join() === '"Written by the otter"');
    await until('whose it is', async () => (await page.cells('writer')).join() === 'Quiet Otter');
    assert.deepEqual(await page.cells('lost'), ['1']);
    await page.locator('[data-row]').first().click();
    const [lost] = await page.at('losses').locator('.loss').allTextContents();
    assert.match(lost, /^What Brisk Heron wrote at [\d:.]+ was written over: its clock is \d[\d.,]* (ms|s) before that of Quiet Otter’s write\.$/);
    await picture(page, 'inspector-losing-write');
  });

  test('they agree, and a hash that differs is seen and mended', async () => {
    await page.show('convergence');
    await until('agreement', async () => (await page.at('verdict').getAttribute('data-agrees')) === 'true');
    const row = async () => {
      const [state, theirs, mine, times, took] = await Promise.all(
        ['state', 'theirs', 'mine', 'times', 'converge'].map((column) => page.cells(column)),
      );
      return { state: state[0], theirs: theirs[0], mine: mine[0], times: Number(times[0]), took: took[0] };
    };
    const { theirs, mine, state } = await row();
    assert.match(theirs, /^[0-9a-f]{16}$/);
    assert.deepEqual([theirs, state], [mine, 'in sync']);
    // Each wrote before they met, so their first heartbeats differed, and an exchange mended it.
    const { times, took } = await row();
    assert.ok(times >= 1, 'they differed when they met');
    assert.match(took, /^\d[\d.,]* s$/);
    assert.equal(await page.at('chart').locator('canvas').count(), 1);
    await until('lines on the chart', () => drawn(page));
    await picture(page, 'inspector-convergence');
  });

  test('every frame is there with its verdict, filtered, paused, copied and exported', async () => {
    await page.show('frames');
    await page.filter('dir:in key:cursor');
    for (let x = 0; x < 5; x++) await does(otter, `${ROOM}/presence`, { presence: { cursor: { x, y: 1 } } });
    await until('frames of the cursor', async () => (await page.cells('peer')).includes('Quiet Otter'));
    for (const [column, what] of [['dir', /^← in$/], ['kind', /^delta$/], ['bytes', /^\d+ B$/], ['took', /^\d[\d,]* µs$/], ['verdict', /^(accept|ignore)$/]])
      for (const words of await page.cells(column)) assert.match(words, what, column);

    await page.filter('colour:red');
    await page.getByRole('alert').getByText('There is no “colour:” here.').waitFor();
    await page.filter('');
    await page.at('pause').click();
    await page.at('paused').waitFor();
    const shown = await page.at('shown').textContent();
    await does(otter, `${ROOM}/presence`, { presence: { cursor: { x: 99, y: 99 } } });
    // The other's own account says when the frame must have come.
    await until('the frame has come', async () => {
      const { members } = await heron.api(`${ROOM}/members`);
      return members.some(({ presence }) => presence.cursor?.x === 99);
    });
    assert.equal(await page.at('shown').textContent(), shown, 'nothing is shown anew');
    await page.at('pause').click();
    await until('what came meanwhile', async () => (await page.at('shown').textContent()) !== shown);

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.filter('kind:full');
    await page.at('copy').click();
    await until('it is copied', async () => /copied/.test(await page.at('shown').textContent()));
    const [head, ...rows] = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    assert.equal(head.split('\t').slice(0, 4).join(), 'Time,Dir,Frame,Peer');
    assert.ok(rows.length > 0 && rows.every((row) => row.split('\t')[2] === 'full'), rows.join());
    const [download] = await Promise.all([page.waitForEvent('download'), page.at('export').click()]);
    assert.equal(download.suggestedFilename(), 'parlor-frames.ndjson');
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.length > 0 && lines.every(({ kind, what }) => kind === 'full' && what.startsWith('frame')));
  });

  test('peers have addresses, round trips and when they were heard', async () => {
    await page.show('peers');
    await until('two round trips', async () => /ms$/.test((await page.cells('p99'))[0] ?? ''));
    assert.deepEqual(await page.cells('peer'), ['Quiet Otter']);
    assert.match((await page.cells('address'))[0], /^127\.0\.0\.1:\d+$/);
    assert.match((await page.cells('transport'))[0], /^→ TCP$/);
    await until('its clock', async () => /^[+−]?\d[\d.,]* ms$/.test((await page.cells('clock'))[0]));
    assert.match((await page.cells('heard'))[0], /^\d[\d.,]* s$/);
    assert.deepEqual(await page.cells('watchdog'), ['0']);
  });

  test('the mesh is a picture that rests, and a table', async () => {
    await page.show('mesh');
    const apart = () =>
      page.evaluate(() => [...document.querySelectorAll('[data-testid=mesh] [data-node]')].map((node) => node.style.transform));
    await until('two places', async () => new Set((await apart()).filter(Boolean)).size === 2);
    await until('rest', async () => {
      const before = await apart();
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      return JSON.stringify(await apart()) === JSON.stringify(before);
    }, 15_000);
    assert.deepEqual([await page.cells('from'), await page.cells('to'), await page.cells('kind')], [['this peer'], ['Quiet Otter'], ['link']]);
  });

  test('a refusal is counted by name, with what the name means', async () => {
    await page.show('refusals');
    await page.at('ordinary').click();
    await page.filter('name:connection_opened');
    await until('it is counted', async () => Number((await page.cells('total'))[0]) >= 1);
    assert.deepEqual(await page.cells('what'), ['Connections that were opened.']);
    assert.deepEqual(troubles(page), []);
  });
});

test('a grey member explains itself', async () => {
  const otter = await arrive('Quiet Otter');
  const heron = await arrive('Brisk Heron', otter);
  await arrive('Merry Wren', otter, heron);
  const page = await inspect(otter, 'people');
  await until('all three', async () => (await page.cells('state')).join() === 'here,here,here');
  heron.process.kill('SIGSTOP');
  try {
    await page.filter('state:stale');
    await page.locator('[data-row]').first().click({ timeout: 15_000 });
    // All of it at one moment: soon the row is gone.
    const told = await until('why', async () => {
      const said = await page.evaluate(() => {
        const texts = (selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent.trim());
        return ['[data-testid=why]', '[data-column=missed]', '[data-column=others]', '[data-testid=detail]'].map(texts);
      });
      return /^You and one other lost Brisk Heron \d+ seconds? ago\. It is their computer or their network, not yours\.$/.test(said[0][0]) && said;
    });
    const [, missed, others, [detail]] = told;
    assert.ok(Number(missed[0]) >= 1, `${missed} heartbeats are missing`);
    assert.deepEqual(others, ['0 of 1']);
    assert.match(detail, /Merry Wren hears nothing/);
    await picture(page, 'inspector-grey');
  } finally {
    heron.process.kill('SIGCONT');
  }
  assert.deepEqual(troubles(page), []);
  await page.context().close();
});

test('a partition made in the lab shows on the mesh and heals', async () => {
  const otter = await Peer.inLab();
  crew.push(otter);
  await does(otter, '/profile', { name: 'Quiet Otter' });
  await does(otter, `${ROOM}/join`, {});
  const heron = await arrive('Brisk Heron', otter);
  const page = await inspect(otter, 'mesh', { reducedMotion: 'reduce' });
  const links = async () => (await page.locator('[data-testid=mesh] [data-edge][data-kind=link]').count());
  const there = () => page.locator('[data-testid=mesh] [data-state=linked]').count();
  await until('the link', async () => (await links()) === 1 && (await there()) === 1);

  await page.show('lab');
  assert.equal(await page.at('lab-verdict').getAttribute('data-on'), 'false');
  await page.at('lab-apart').click();
  await until('it is on', async () => (await page.at('lab-verdict').getAttribute('data-on')) === 'true');
  await page.show('mesh');
  await until('no link', async () => (await page.locator('[data-testid=mesh]').count()) === 0 || (await links()) === 0, 15_000);
  // Each side writes what the other does not hear of.
  await does(otter, `${ROOM}/metadata`, { metadata: { title: 'Here' } });
  await does(heron, `${ROOM}/board`, { set: [{ id: 'there', text: 'There' }] });
  await picture(page, 'inspector-apart');

  await page.show('lab');
  await page.at('lab-clear').click();
  await until('it is off', async () => (await page.at('lab-verdict').getAttribute('data-on')) === 'false');
  await page.show('mesh');
  await until('the link is back', async () => (await links()) === 1, 20_000);
  await page.show('convergence');
  await until('they agree', async () => (await page.cells('state')).join() === 'in sync', 20_000);
  await page.show('registers');
  await page.filter('kind:board key:text');
  await until('what the other wrote', async () => (await page.cells('value')).join() === '"There"');
  assert.equal((await heron.api(`${ROOM}/metadata`)).metadata.title, 'Here');
  assert.deepEqual(troubles(page), []);
  await page.context().close();
});

test('a lost write shows as a hash that differs, and then as the same again', async () => {
  const otter = await Peer.inLab();
  crew.push(otter);
  await does(otter, '/profile', { name: 'Quiet Otter' });
  await does(otter, `${ROOM}/join`, {});
  const heron = await arrive('Brisk Heron', otter);
  await does(otter, `${ROOM}/metadata`, { metadata: { title: 'Before' } });
  const page = await inspect(heron, 'convergence');
  const agrees = () => page.at('verdict').getAttribute('data-agrees');
  await until('they agree', async () => (await agrees()) === 'true');
  const times = async () => Number((await page.cells('times'))[0]);
  const before = await times();

  const nothing = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, duplicatePercent: 0 };
  await does(otter, '/lab', { all: { in: nothing, out: nothing, apart: false } });
  await does(otter, `${ROOM}/metadata`, { metadata: { title: 'Lost on its way' } });
  // It is heard again and hears nothing yet, so it is the other who notices, and who asks in vain.
  await does(otter, '/lab', { all: { in: nothing, out: { ...nothing, cut: false }, apart: false } });
  await until('a hash that differs', async () => (await agrees()) === 'false');
  assert.deepEqual([await page.cells('state'), await page.cells('peer')], [['differs'], ['Quiet Otter']]);
  await picture(page, 'inspector-differs');
  await does(otter, '/lab', { clear: true });
  await until('the same again', async () => (await agrees()) === 'true', 15_000);
  assert.equal(await times(), before + 1);
  assert.match((await page.cells('converge'))[0], /^\d[\d.,]* s$/);
  await page.show('registers');
  await page.filter('key:title kind:metadata');
  await until('what was lost', async () => (await page.cells('value')).join() === '"Lost on its way"');
  assert.deepEqual(troubles(page), []);
  await page.context().close();
});

/** A recording of a room, as its peer gives it. */
async function recorded(peer, query = '') {
  const answer = await fetch(`${peer.http}${ROOM}/recording${query}`, { headers: { authorization: `Bearer ${peer.token}` } });
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

const asFile = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

describe('a flight recorder', () => {
  let otter, page, saved;

  before(async () => {
    otter = await arrive('Quiet Otter');
    await does(otter, `${ROOM}/metadata`, { metadata: { title: 'Harbour' } });
    await does(otter, `${ROOM}/presence`, { presence: { tool: 'Umbrella' } });
    page = await inspect(otter, 'recorder', { viewport: { width: 1120, height: 720 } });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  });
  after(() => page?.context().close());

  const save = async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.at('recording-save').click()]);
    assert.equal(download.suggestedFilename(), 'Deck-3.parlor-recording');
    return readFile(await download.path());
  };
  const numberIn = async (id) => Number(/[\d,.]+/.exec(await page.at(id).textContent())[0].replaceAll(',', ''));

  test('says how much it has, and more when more happened', async () => {
    await page.at('ring-inputs').waitFor();
    assert.match(await page.at('ring-span').textContent(), /^\d[\d.,]* s \/ 10 min$/);
    assert.match(await page.at('ring-bytes').textContent(), /^\d[\d.,]* (B|KiB) \/ 8 MiB$/);
    const before = await numberIn('ring-inputs');
    assert.ok(before > 2);
    await does(otter, `${ROOM}/metadata`, { metadata: { mode: 'drill' } });
    await until('more inputs', async () => (await numberIn('ring-inputs')) > before);
    await picture(page, 'inspector-recorder');
  });

  test('is saved without names and values, and with them after a warning', async () => {
    saved = await save();
    await until('it is said', async () => /^Saved as Deck-3\.parlor-recording$/.test(await page.at('recording-said').textContent()));
    for (const word of ['Harbour', 'Umbrella', 'Quiet Otter']) assert.ok(!saved.includes(word), word);
    assert.equal(await page.at('values-warning').count(), 0);
    await page.at('recording-values').click();
    await page.at('values-warning').waitFor();
    const plain = await save();
    for (const word of ['Harbour', 'Umbrella', 'Quiet Otter']) assert.ok(plain.includes(word), word);
    await page.at('recording-look').click();
    await page.at('opened').waitFor();
    assert.match(await page.at('opened-about').textContent(), /^Deck 3, as [0-9a-f]{8} had it .* with names and values$/);
  });

  test('is walked through step by step, and says what each changed', async () => {
    await page.filter('text:title kind:call');
    await until('one step', async () => (await page.cells('text')).join() === 'Quiet Otter changes settings: title');
    await page.locator('[data-row]').first().click();
    const [number] = await page.cells('step');
    await page.locator(`[data-testid=held][data-step="${number}"]`).waitFor();
    assert.match(await page.at('changes').textContent(), /setting · title\s*nothing → "Harbour"/);
    assert.match(await page.at('held-members').textContent(), /Quiet Otter here/);
    await page.filter('');
    const place = () => page.at('place').textContent();
    const isAt = (step) => until(`step ${step}`, async () => (await place()).startsWith(`Step ${step} of `));
    await isAt(number);
    // By buttons, by keys on the slider, and by pulling it.
    await page.at('step-back').click();
    await isAt(Number(number) - 1);
    await page.locator(`[data-testid=held][data-step="${Number(number) - 1}"]`).waitFor();
    await page.at('step-on').click();
    await isAt(number);
    await page.at('slider').focus();
    await page.keyboard.press('Home');
    await isAt(1);
    await page.keyboard.press('ArrowRight');
    await isAt(2);
    await page.keyboard.press('End');
    const total = /of ([\d,]+)/.exec(await place())[1];
    await isAt(total);
    await page.at('slider').fill('0');
    await until('the beginning', async () => !(await place()).startsWith(`Step ${total} `));
    assert.match(await page.at('slider').getAttribute('aria-valuetext'), /^Step [\d,]+ of [\d,]+ · \d+:\d\d\.\d{3}$/);
    await until('it is in sight', async () => (await page.locator('[data-row][aria-selected=true]').count()) === 1);
    assert.equal(await page.at('fine').count(), 1);
    await page.filter('text:title kind:call');
    await page.locator('[data-row]').first().click();
    await page.filter('');
    await picture(page, 'inspector-recording');
  });

  test('becomes a test, in the clipboard', async () => {
    await page.at('copy-test').click();
    await until('it is copied', async () => /in the clipboard/.test(await page.at('opened-said').textContent()));
    const source = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(source, /#\[test\]\npub\(crate\) fn deck_3\(\)/);
    assert.match(source, /assert_eq!\(outcome\.hash, "[0-9a-f]{16}"/);
  });

  test('is opened from a file that is chosen or dropped, and none that is damaged', async () => {
    await page.at('close-recording').click();
    await page.at('recording-file').setInputFiles(asFile('torn.parlor-recording', saved.subarray(0, saved.length / 2)));
    await page.at('recording-wrong').getByText(/cut short or damaged/).waitFor();
    await page.at('recording-file').setInputFiles(asFile('chosen.parlor-recording', saved));
    await page.at('opened').getByText('chosen.parlor-recording').waitFor();
    assert.equal(await page.at('recording-wrong').count(), 0);
    await page.at('recorder').evaluate((panel, text) => {
      const files = new DataTransfer();
      files.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], 'dropped.parlor-recording'));
      panel.dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
    }, saved.toString('base64'));
    await page.at('opened').getByText('dropped.parlor-recording').waitFor();
    // It is still there behind another panel.
    await page.show('frames');
    await page.show('recorder');
    await page.at('opened').getByText('dropped.parlor-recording').waitFor();
    assert.deepEqual(troubles(page).filter((words) => !/status of 400/.test(words)), []);
  });
});

test('a partition shows in two recordings as what one has and the other lacks', async () => {
  const otter = await Peer.inLab();
  crew.push(otter);
  await does(otter, '/profile', { name: 'Quiet Otter' });
  await does(otter, `${ROOM}/join`, {});
  const heron = await arrive('Brisk Heron', otter);
  const page = await inspect(otter, 'recorder');
  await until('both know both', async () => {
    const pages = await Promise.all([otter, heron].map((peer) => peer.api(`${ROOM}/members`)));
    return pages.every(({ total }) => total === 2);
  });
  const open = async (others) => {
    await page.at('recording-file').setInputFiles(asFile('otter.parlor-recording', await recorded(otter)));
    await page.at('opened').waitFor();
    await page.at('second-file').setInputFiles(asFile('heron.parlor-recording', await recorded(heron, others)));
    await page.at('lineup').waitFor();
    return page.at('lineup').textContent();
  };
  assert.match(await open(), /They agree on all that lasted; [\d,]+ frames? (is|are) in both\./);

  const { peers } = await otter.api('/peers');
  await does(otter, '/lab', { peers: { [peers[0].peerId]: { apart: true } } });
  await does(heron, `${ROOM}/metadata`, { metadata: { title: 'Nobody else sees this' } });
  // What differs for three seconds is not on its way any more.
  const told = await until('a disagreement', async () => {
    await page.at('close-recording').click();
    const told = await open();
    return /They disagree first/.test(told) && told;
  }, 20_000);
  assert.match(told, /first on the metadata cell that u_\w+ wrote at [\dT:.-]+Z:/);
  assert.match(told, /otter\.parlor-recording does not hold it and never came to it/);
  assert.match(told, /heron\.parlor-recording holds it since step [\d,]+/);
  await page.at('lineup').getByRole('button').click();
  await page.at('opened').getByRole('heading', { name: 'heron.parlor-recording' }).waitFor();
  await until('the write', async () => /setting · \S+\s*nothing → /.test(await page.at('changes').textContent()));
  await picture(page, 'inspector-disagreement');
  await does(otter, '/lab', { clear: true });
  assert.deepEqual(troubles(page), []);
  await page.context().close();
});

test('without a recorder a peer says so', async () => {
  const otter = await Peer.without('--no-recorder');
  crew.push(otter);
  await does(otter, `${ROOM}/join`, {});
  const page = await inspect(otter, 'recorder');
  await until('it is off', async () => /Nothing of this room is written down/.test(await page.at('ring-none').textContent()));
  await page.context().close();
});

test('a frame shows its bytes when they are asked for', async () => {
  const otter = await arrive('Quiet Otter');
  const heron = await arrive('Brisk Heron', otter);
  const page = await inspect(heron, 'frames');
  await page.filter('dir:in kind:beat');
  await page.locator('[data-row]').first().click({ timeout: 15_000 });
  await page.at('no-hex').waitFor();
  await page.at('hex-ask').click();
  assert.equal(await page.at('frames-bytes').getAttribute('aria-pressed'), 'true');
  const before = (await page.locator('[data-row]').last().getAttribute('data-row')) ?? '';
  await until('a later one', async () => {
    const last = page.locator('[data-row]').last();
    if ((await last.getAttribute('data-row')) === before) return false;
    await last.click();
    return (await page.at('hex').count()) === 1;
  }, 15_000);
  const [hex, bytes] = [await page.at('hex').textContent(), (await page.locator('[data-row][aria-selected=true] [data-column=bytes]').textContent()).match(/\d+/)[0]];
  assert.match(hex, /Version\s*1 byte 0/);
  assert.match(hex, /Kind\s*2 beat byte 1/);
  assert.match(hex, /Number\s*\d+ in the body/);
  const shown = await page.at('hex').locator('.bytes').allTextContents();
  assert.equal(shown.join(' ').trim().split(/\s+/).length, Number(bytes));
  assert.match(shown[0], /^01 02 /);
  await picture(page, 'inspector-hex');
  await page.at('frames-bytes').click();
  assert.deepEqual(troubles(page).filter((words) => !/ERR_ABORTED/.test(words)), []);
  await page.context().close();
});

test('without its lab a peer says how to have one', async () => {
  const otter = await arrive('Quiet Otter');
  const page = await inspect(otter, 'lab');
  await page.at('lab-off').waitFor();
  assert.match(await page.at('lab-off').textContent(), /parlor serve --lab/);
  await page.context().close();
});

test('ten thousand frames are there wherever one scrolls, and few of them are elements', async () => {
  const otter = await arrive('Quiet Otter');
  const page = await inspect(otter, 'frames');
  // Real frames: presence of many members at this peer, said by it to all.
  const guests = Array.from({ length: 40 }, (_, n) => ({ id: `guest-${n}`, name: `Guest ${n}` }));
  await Promise.all(guests.map((guest) => otter.post(`${ROOM}/join`, {}, guest)));
  const all = async () => Number(/of ([\d,]+) shown|^([\d,]+) shown/.exec(await page.at('shown').textContent())?.slice(1).find(Boolean).replaceAll(',', ''));
  await until('frames of guests', async () => (await all()) >= 40, 20_000);
  // The rest of them by the same stream, as a peer with much to tell sends it.
  const more = await inspectorWithFrames(otter, 12_000);
  await more.show('frames');
  await until('a full ring', async () => /10,000 shown/.test(await more.at('shown').textContent()), 20_000);
  const drawnRows = () => more.locator('[data-row]').count();
  assert.ok((await drawnRows()) <= 60, `${await drawnRows()} rows are elements`);
  const blank = await more.at('rows').evaluate(async (box) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const covered = () => {
      const { top, bottom } = box.getBoundingClientRect();
      const middle = (top + bottom) / 2;
      return [...box.querySelectorAll('[data-row]')].some((row) => {
        const place = row.getBoundingClientRect();
        return place.top <= middle && place.bottom >= middle;
      });
    };
    let blank = 0;
    for (let n = 0; n < 120; n++) {
      box.scrollTop = ((n * 7) % 120) * (box.scrollHeight / 120);
      // Drawn in one frame, and there in the one after.
      await frame();
      await frame();
      if (!covered()) blank += 1;
    }
    return blank;
  });
  assert.equal(blank, 0, 'the table is behind the wheel');
  assert.ok((await drawnRows()) <= 60);
  // By keys from one end to the other, with what is chosen said to readers.
  await more.at('rows').focus();
  await more.keyboard.press('Home');
  assert.equal(await more.locator('[aria-selected=true][data-row]').getAttribute('aria-rowindex'), '2');
  await more.keyboard.press('End');
  assert.equal(await more.locator('[aria-selected=true][data-row]').getAttribute('aria-rowindex'), '10001');
  assert.equal(await more.at('rows').getAttribute('aria-rowcount'), '10001');
  await more.context().close();
  await page.context().close();
});

test('it can be used by everybody, in both languages', async () => {
  const otter = await arrive('Quiet Otter');
  const heron = await arrive('Brisk Heron', otter);
  const page = await inspect(otter, 'registers', { bypassCSP: true, reducedMotion: 'reduce', locale: 'de-DE' });
  await until('presence of both', async () => (await page.cells('key')).length >= 2);
  await does(heron, `${ROOM}/metadata`, { metadata: { title: 'Deck 3' } });
  for (const panel of ['registers', 'peers', 'mesh', 'frames', 'convergence', 'refusals', 'people', 'recorder']) {
    await page.show(panel);
    if (panel === 'recorder') {
      await isAccessible({ page }, 'inspector-recorder-ring');
      await page.at('recording-look').click();
    }
    if (panel === 'refusals') await page.at('ordinary').click();
    await until(`rows of ${panel}`, async () => (await page.locator('[data-row]').count()) > 0);
    await page.locator('[data-row]').first().click();
    await isAccessible({ page }, `inspector-${panel}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await page.at('tab-frames').textContent(), 'Rahmen');
  // Panels by number, the filter by a stroke, and the tabs by arrows.
  await page.locator('body').click({ position: { x: 400, y: 20 } });
  await page.keyboard.press('4');
  await page.locator('[data-panel=frames]').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('4');
  assert.equal(await page.at('filter').inputValue(), '4');
  await page.at('tab-frames').focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('[data-panel=convergence]').waitFor();
  assert.deepEqual(troubles(page), []);
  await page.context().close();
});

test('it opens from the window by its name, and without a token it says what to do', async () => {
  const otter = await arrive('Quiet Otter');
  const page = await openPage(browser, otter.url);
  await page.locator('[data-testid=footer-identity]').waitFor();
  await page.keyboard.press('Control+k');
  await page.locator('[data-testid=palette-input]').fill('inspector');
  const [inspector] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
  await inspector.locator('[data-testid=inspector]').waitFor();
  await until('no token in the address', () => inspector.url() === `${otter.http}/inspector`);
  await until('whose it is', async () => (await inspector.locator('[data-testid=whose]').textContent()) === 'How Quiet Otter’s peer syncs');
  // By its keys as well, but for somebody who writes: where Ctrl and Alt are AltGr, they make a letter.
  await inspector.close();
  await page.bringToFront();
  await page.locator('[data-testid=join-room-input]').press('Control+Alt+i');
  assert.equal(page.context().pages().length, 1);
  await page.locator('[data-testid=join-room-input]').blur();
  const [again] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Control+Alt+i')]);
  await again.locator('[data-testid=inspector]').waitFor();
  await page.context().close();
  const bare = await openPage(browser, `${otter.http}/inspector`);
  await bare.getByRole('alert').waitFor();
  await bare.context().close();
});

/** The inspector of a peer, whose stream tells of this many frames behind what the peer itself says. */
async function inspectorWithFrames(peer, frames) {
  const page = await openPage(browser, 'about:blank');
  const snapshot = await firstEvent(peer);
  const seen = (number) => ({
    ...{ type: 'seen', number, wallMs: snapshot.wallMs + number, tickMs: number, room: 'Deck 3', what: 'frameIn' },
    ...{ kind: number % 3 === 0 ? 'beat' : 'delta', author: snapshot.sessionId, via: snapshot.sessionId, path: 'gossip' },
    ...{ bytes: 20 + (number % 40), verdict: 'ignore', reasons: [], tookUs: 30 + (number % 90) },
  });
  const event = (item) => `event: ${item.type}\ndata: ${JSON.stringify(item)}\n\n`;
  const body = event(snapshot) + Array.from({ length: frames }, (_, n) => event(seen(n + 1))).join('');
  // Said once: whoever asks again waits.
  await page.route('**/inspect', () => {});
  await page.route('**/inspect', (route) => route.fulfill({ contentType: 'text/event-stream', body }), { times: 1 });
  page.at = (id) => page.locator(`[data-testid="${id}"]`);
  page.show = (name) => page.at(`tab-${name}`).click();
  await page.goto(`${peer.http}/inspector#token=${peer.token}`);
  return page;
}

async function firstEvent(peer) {
  const ended = new AbortController();
  const answer = await fetch(`${peer.http}/inspect`, { headers: { authorization: `Bearer ${peer.token}` }, signal: ended.signal });
  let text = '';
  for await (const bytes of answer.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    if (text.includes('\n\n')) break;
  }
  ended.abort();
  return JSON.parse(/^data: (.*)$/m.exec(text)[1]);
}

/** Whether something of the colour of a line is on the chart. */
function drawn(page) {
  return page.at('chart').locator('canvas').evaluate((canvas) => {
    const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
    const pen = copy.getContext('2d', { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, copy.width, copy.height);
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] > 200 && Math.abs(data[at] - 0x3a) < 24 && Math.abs(data[at + 2] - 0xd5) < 24) return true;
    return false;
  });
}
