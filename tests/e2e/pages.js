/**
 * Every page of the interface, in the order of a visit: what a person does to see it. Sheets, panels, menus and what
 * floats are pages as well. Each step finds what the one before it left, and takes away what lies over the page.
 *
 * `fleeting` is what ends when the keyboard goes elsewhere; `slow`, what takes its time and is seen on that visit only.
 */
import { faults } from './lab.js';
import { REPORT } from './network.js';
import { OPEN, OUT, PRIVATE } from './visit.js';
import { until } from './until.js';

const fleeting = { fleeting: true };

const menu = (person) => person.page.locator('[popover]:popover-open').first().waitFor();

async function open(visit, toggle, sheet) {
  await visit.clear();
  await visit.otter.at(toggle).first().click();
  return visit.otter.sees(sheet);
}

async function chosen(visit, toggle, choice) {
  await visit.clear();
  await visit.otter.at(toggle).first().click();
  await visit.otter.page.locator(`[data-choice=${choice}]:visible`).click();
}

const before = [
  ['a page without its key', async (visit) => {
    const other = await visit.elsewhere(visit.otter.peer, { url: `${visit.otter.peer.http}/` });
    await other.page.getByRole('alert').waitFor();
    return other;
  }],
  ['a peer that does not answer', async (visit) => {
    const other = await visit.elsewhere(visit.otter.peer, { routes: { '**/profile': (route) => route.abort() } });
    await other.page.getByRole('alert').waitFor();
    return other;
  }],
  ['first run', async ({ otter }) => otter.sees('first-run')],
  ['first run without a name', async ({ otter }) => {
    await otter.at('name-input').fill('');
    await otter.at('first-run-start').click();
    await otter.page.getByRole('alert').waitFor();
  }],
  ['first run by a link to a room', async (visit) => {
    const other = await visit.elsewhere(visit.otter.peer, { url: `${visit.otter.peer.url}&room=${encodeURIComponent(OPEN)}` });
    await other.sees('first-run');
    return other;
  }],
];

const home = [
  ['home without rooms', async (visit) => {
    await visit.closeElsewhere();
    await visit.otter.introduce();
    await visit.otter.peer.post('/profile', { color: '#286fe3' });
    await visit.otter.sees('home');
  }],
  ['home with a mistake', async ({ otter }) => {
    await otter.page.locator('[data-testid=start-access] input').last().check({ force: true });
    await otter.at('join-room-input').fill('parlor:abcdefgh');
    await otter.at('join-room').click();
    await otter.page.getByRole('alert').first().waitFor();
  }],
  ['home with rooms', async (visit) => {
    const { otter, heron } = visit;
    await visit.gather(OPEN);
    await visit.do(heron, OPEN, 'metadata', { metadata: { title: 'Power out on deck 3', mode: 'war_room' } });
    await otter.peer.post('/rooms', { room: PRIVATE, private: true });
    await visit.do(otter.peer, PRIVATE, 'leave');
    await otter.page.goto('about:blank');
    await otter.page.goto(otter.peer.url);
    await until('rooms near and of before', async () => (await otter.at('room-card').count()) >= 2, 30_000);
    await otter.page.getByText('Power out on deck 3').first().waitFor();
  }],
  ['forgetting a private room', async ({ otter }) => {
    await otter.page.locator('.forget button').first().click();
    await otter.sees('forget-private');
  }],
  ['connection', async (visit) => {
    await visit.clear();
    await visit.otter.page.locator('[data-testid=home] header button').click();
    await until('who is linked', async () => (await visit.otter.page.locator('dialog li').count()) >= 2);
  }],
  ['the network is looked at', async ({ otter }) => {
    await otter.at('check-network').click();
    await otter.page.locator('[data-testid=finding][data-code=LOOPBACK_ONLY]').waitFor();
  }],
  ['a network with problems', async ({ otter }) => {
    await otter.page.route('**/network/check', (route) => route.fulfill({ json: REPORT }));
    await otter.at('network-again').click();
    await otter.page.locator('[data-testid=finding][data-severity=problem]').waitFor();
    await otter.page.unroute('**/network/check');
  }],
  ['settings', async (visit) => {
    await visit.clear();
    await visit.otter.at('footer-identity').click();
    await visit.otter.sees('settings');
  }],
  ['shortcuts at home', async (visit) => {
    await visit.clear();
    await visit.otter.page.keyboard.press('?');
    await visit.otter.sees('shortcuts');
  }],
  ['palette', async (visit) => open(visit, 'open-palette', 'palette')],
  ['palette with what was found', async ({ otter }) => {
    await otter.at('palette-input').fill('de');
    await until('what was found', async () => (await otter.page.locator('[data-action=enter]').count()) === 1);
  }],
  ['the question of a ticket', async (visit) => {
    const { otter, heron } = visit;
    await heron.post('/rooms', { room: OUT, private: true });
    await visit.do(heron, OUT, 'join', { presenceTtlSeconds: 3600 });
    visit.ticket = (await visit.do(heron, OUT, 'ticket')).ticket;
    await visit.clear();
    await otter.at('join-room-input').fill(visit.ticket);
    await otter.at('join-room').click();
    await otter.sees('ticket-sheet');
  }],
];

const room = [
  ['a room alone', async (visit) => {
    await visit.clear();
    await visit.otter.at('start-room-input').fill('Quiet corner');
    await visit.otter.at('start-room').click();
    await visit.otter.sees('board');
    await visit.otter.page.locator('.hint').waitFor();
  }],
  ['messages of nobody', async (visit) => visit.panel('messages')],
  ['a room with people', async (visit) => {
    await visit.go(OPEN);
    for (const peer of visit.crew) peer.user = (await peer.api('/profile')).userId;
    await visit.panel('people');
    await until('three people', async () => (await visit.otter.at('member-row').count()) === 3);
  }],
  ['what to do with somebody', async (visit) => {
    await visit.otter.at('person-menu').first().click();
    await menu(visit.otter);
  }],
  ['words for one’s status', async (visit) => {
    await visit.clear();
    await visit.otter.at('status-choices').click();
    await menu(visit.otter);
  }],
  ['what kind of room', async (visit) => {
    await visit.clear();
    await visit.otter.at('mode-chip').click();
    await visit.otter.sees('mode-input');
  }],
  ['writing the title', async (visit) => {
    await visit.clear();
    await visit.otter.at('room-title').click();
    await visit.otter.sees('title-input');
  }, fleeting],
  ['somebody changed the title', async (visit) => {
    await visit.otter.page.keyboard.press('Escape');
    await visit.noPanel();
    await visit.do(visit.heron, OPEN, 'metadata', { metadata: { title: 'Power is back on deck 3' } });
    await visit.otter.page.locator('.notes .note').first().waitFor();
  }],
  ['settings in a room', async (visit) => open(visit, 'footer-identity', 'settings')],
  ['shortcuts', async (visit) => {
    await visit.clear();
    await visit.otter.page.keyboard.press('?');
    await visit.otter.sees('shortcuts');
  }],
  ['palette in a room', async (visit) => open(visit, 'open-palette', 'palette')],
  ['invitation', async (visit) => {
    await open(visit, 'invite', 'invite-ticket');
    await visit.otter.sees('qr');
  }],
  ['invitation, shared to browsers', async ({ otter }) => {
    await otter.at('share-switch').click();
    await otter.sees('share-on');
    await otter.at('share-guests').scrollIntoViewIfNeeded();
  }],
  ['details', async (visit) => {
    await visit.clear();
    await visit.do(visit.heron, OPEN, 'metadata', { metadata: { bridge: 'Radio channel 12', runbook: 'Page 7' } });
    await visit.panel('details');
    await until('the keys', async () => (await visit.otter.page.locator('[id^=key-]').count()) === 2);
  }],
  ['details of a locked room', async (visit) => {
    await visit.do(visit.heron, OPEN, 'metadata', { metadata: { locked: true } });
    await visit.otter.sees('details-locked');
  }],
  ['somebody calls everybody', async (visit) => {
    const { otter, heron } = visit;
    await visit.do(heron, OPEN, 'metadata', { metadata: { locked: false } });
    await visit.noPanel();
    await visit.do(heron, OPEN, 'messages', { type: 'gather', data: { viewport: { x: 0, y: 0, w: 900, h: 600 } } });
    await otter.sees('gather-call');
  }],
  ['following, and followed', async (visit) => {
    const { otter, wren } = visit;
    await otter.at('gather-not-now').click();
    const me = (await otter.members(OPEN)).find(({ memberId }) => memberId === otter.id);
    await visit.do(wren, OPEN, 'presence', { presence: { following: me.memberId } });
    await otter.sees('followers');
    await otter.page.keyboard.press('Alt+1');
    await otter.sees('following');
  }],
];

const board = [
  ['a board with notes', async (visit) => {
    const { otter, heron, wren } = visit;
    await otter.at('following').click();
    await visit.do(wren, OPEN, 'presence', { presence: { following: null } });
    const { x, y, w, h } = (await otter.member(OPEN, otter)).presence.viewport;
    const at = (left, top) => ({ x: x + w / 2 + left, y: y + h / 2 + top, w: 150, h: 90 });
    const set = [
      { id: 'fuel', text: 'Generator 2\nno fuel pressure', color: 'red', z: 1, ...at(-170, -50) },
      { id: 'pump', text: 'Spare pump: gate 4', color: 'yellow', z: 2, ...at(20, -50) },
    ];
    await visit.do(heron, OPEN, 'board', { set });
    await otter.page.locator('[data-note=fuel]').click();
    await otter.sees('note-tools');
  }],
  ['writing in a note', async ({ otter }) => {
    await otter.page.keyboard.press('Enter');
    await otter.sees('note-field');
  }, fleeting],
  ['what to do with the board', async (visit) => {
    await visit.otter.page.keyboard.press('Escape');
    await visit.otter.page.keyboard.press('Escape');
    await visit.otter.at('board-menu').click();
    await menu(visit.otter);
  }],
  ['notes from a text', async (visit) => {
    await chosen(visit, 'board-menu', 'import');
    await (await visit.otter.sees('import-text')).fill('- one\n- two');
  }],
  ['reactions', async (visit) => {
    await visit.clear();
    await visit.otter.at('react').click();
    await menu(visit.otter);
  }],
  ['words at the cursor', async (visit) => {
    await visit.clear();
    const { x, y, width, height } = await visit.otter.board();
    await visit.otter.page.mouse.move(x + width / 2, y + height / 2 + 60);
    await visit.otter.at('board').focus();
    await visit.otter.page.keyboard.press('/');
    await visit.otter.sees('chat-input');
  }, fleeting],
];

const messages = [
  ['messages', async (visit) => {
    const { otter, heron, wren } = visit;
    await otter.page.keyboard.press('Escape');
    await otter.at('board').focus();
    const { id } = (await visit.says(heron, 'Power is out on deck 3, generator two does not start.'));
    await visit.says(wren, 'I have the key. See https://harbour.example/status', { replyTo: id });
    await visit.says(otter.peer, 'Breaker seven was closed when I left.');
    await visit.says(heron, '@Quiet Otter are you sure?');
    await visit.panel('messages');
    await until('all of them', async () => (await otter.at('message').count()) >= 4);
  }],
  ['what to do with a message', async ({ otter }) => {
    await otter.at('message').last().hover();
    await otter.sees('message-actions');
  }],
  ['reacting to a message', async ({ otter }) => {
    await otter.at('message-react').click();
    await menu(otter);
  }],
  ['more to do with a message', async (visit) => {
    await visit.clear();
    await visit.otter.at('message').last().hover();
    await visit.otter.at('message-menu').click();
    await menu(visit.otter);
  }],
  ['pinned, and answering', async (visit) => {
    const { otter } = visit;
    await otter.page.locator('[data-choice=pin]:visible').click();
    await otter.sees('pins');
    await otter.at('pins-toggle').click();
    await otter.at('message').last().hover();
    await otter.at('message-reply').click();
    await otter.sees('replying');
  }],
  ['calling somebody', async ({ otter }) => {
    await otter.at('message-input').fill('Ask @');
    await otter.sees('mention-list');
  }, fleeting],
  ['too many words', async ({ otter }) => {
    await otter.at('message-input').fill('many words '.repeat(400));
    await otter.reads('message-room', /\d/);
  }],
  ['what to do with messages', async (visit) => {
    await visit.otter.at('message-input').fill('');
    await visit.clear();
    await visit.otter.at('messages-menu').click();
    await menu(visit.otter);
  }],
  ['notices', async (visit) => open(visit, 'notify-open', 'notify')],
  ['while one was away', async (visit) => {
    const { otter, heron } = visit;
    await visit.clear();
    await otter.at('leave-room').click();
    await otter.sees('home');
    await otter.page.evaluate(() => {
      for (const key of Object.keys(localStorage).filter((key) => key.startsWith('parlor-read:'))) {
        const kept = JSON.parse(localStorage.getItem(key));
        localStorage.setItem(key, JSON.stringify({ ...kept, leftAt: kept.leftAt - 60_000 }));
      }
    });
    await visit.says(heron, 'Closing it now.');
    await until('it is at the own peer', async () =>
      (await otter.peer.api(`/rooms/${encodeURIComponent(OPEN)}/messages`)).messages.some(({ data }) => data.text === 'Closing it now.'),
    );
    await visit.go(OPEN);
    await otter.page.locator('.notes .note').filter({ hasText: /While you were away|Während du weg warst/ }).waitFor();
    await visit.panel('messages');
    await otter.sees('away-bar');
  }],
];

const hosts = [
  ['a private room', async (visit) => {
    const { otter } = visit;
    await otter.at('leave-room').click();
    const { ticket } = (await otter.peer.post(`/rooms/${encodeURIComponent(PRIVATE)}/join`, {})).status === 200 ? await visit.do(otter.peer, PRIVATE, 'ticket') : {};
    await visit.gather(PRIVATE, ticket);
    await visit.go(PRIVATE);
    await visit.panel('people');
    await until('three people', async () => (await otter.at('host-controls').count()) === 2);
  }],
  ['what a host may do', async ({ otter }) => {
    await otter.at('host-controls').last().click();
    await menu(otter);
  }],
  ['putting somebody out', async (visit) => {
    await visit.otter.page.locator('[data-choice=put-out]:visible').click();
    await visit.otter.sees('decision-sheet');
  }],
  ['invitation to a private room', async (visit) => {
    await open(visit, 'invite', 'invite-ticket');
    await visit.otter.sees('change-key');
  }],
  ['changing the key', async ({ otter }) => {
    await otter.at('change-key-ask').click();
    await otter.sees('change-key-sure');
  }],
  ['details of a private room', async (visit) => {
    const { otter, wren, heron } = visit;
    await visit.clear();
    wren.user ??= (await wren.api('/profile')).userId;
    await visit.do(otter.peer, PRIVATE, 'access', { hosts: { [heron.user ?? (await heron.api('/profile')).userId]: true } });
    await visit.do(otter.peer, PRIVATE, 'access', { exclude: [wren.user] });
    await visit.do(heron, PRIVATE, 'leave');
    await visit.panel('details');
    await until('who is not here', async () => (await otter.at('keyholder').count()) === 2, 20_000);
  }],
  ['put out of a room', async (visit) => {
    const { otter, heron } = visit;
    // Whoever has no window and says nothing for long is not there any more.
    await visit.do(heron, OUT, 'join');
    await otter.at('leave-room').click();
    await otter.sees('home');
    await otter.at('join-room-input').fill(visit.ticket);
    await otter.at('join-room').click();
    await (await otter.sees('ticket-join')).click();
    await otter.sees('board');
    await until('both', async () => (await otter.members(OUT)).length === 2, 20_000);
    // Each sees the other in its own time.
    await until('its host sees both', async () => (await heron.api(`/rooms/${encodeURIComponent(OUT)}/members`)).total === 2, 20_000);
    await visit.do(heron, OUT, 'access', { exclude: [otter.id] });
    await otter.sees('out-of-room');
    await otter.at('out-ticket').fill('no ticket');
    await otter.at('out-use').click();
    await otter.page.getByRole('alert').nth(1).waitFor();
  }],
];

/** What a browser sees that is a guest of a room. */
const guests = [
  ['the first page of a guest', async (visit) => {
    const { link } = await visit.do(visit.otter.peer, OPEN, 'share', { on: true });
    const guest = await visit.elsewhere(visit.otter.peer, { url: link });
    await guest.sees('not-encrypted');
    return guest;
  }],
  ['a room as its guest has it', async ({ others: [guest] }) => {
    await guest.at('first-run-start').click();
    await guest.sees('board');
    await guest.sees('footer-not-encrypted');
    return guest;
  }],
  ['settings of a guest', async ({ others: [guest] }) => {
    await guest.at('footer-identity').click();
    await guest.sees('settings');
    return guest;
  }],
  ['a room that its guest left', async ({ others: [guest] }) => {
    await guest.page.keyboard.press('Escape');
    await guest.at('leave-room').click();
    await guest.sees('guest-back');
    return guest;
  }],
  ['a room that is shared no more', async (visit) => {
    const [guest] = visit.others;
    await guest.at('guest-back').click();
    await guest.sees('board');
    // Whoever has no connection yet is told nothing by it.
    await until('the guest is in', async () => (await visit.otter.members(OPEN)).some(({ actor }) => actor.kind === 'guest'));
    await visit.do(visit.otter.peer, OPEN, 'share', { on: false });
    await guest.sees('guest-over');
    return guest;
  }],
];

/** The inspector, which is a page of its own: each panel with something in it and, where there is more, a row opened. */
const inside = [
  ['inspector', async (visit) => {
    const { peer } = visit.otter;
    await visit.gather(OPEN);
    await visit.do(peer, OPEN, 'join', { presenceTtlSeconds: 3600 });
    const inspector = await visit.elsewhere(peer, { url: `${peer.http}/inspector#token=${peer.token}` });
    await inspector.page.locator('[data-row]').first().click();
    await inspector.sees('detail');
    return inspector;
  }],
  ...['peers', 'mesh', 'frames', 'convergence', 'refusals', 'people'].map((panel) => [`inspector, ${panel}`, async (visit) => {
    const [inspector] = visit.others;
    await inspector.at(`tab-${panel}`).click();
    if (panel === 'refusals') await inspector.at('ordinary').click();
    await inspector.page.locator(`[data-panel=${panel}] [data-row]`).first().waitFor();
    return inspector;
  }]),
  ['inspector, recorder', async (visit) => {
    const [inspector] = visit.others;
    await inspector.at('tab-recorder').click();
    await inspector.sees('ring-inputs');
    return inspector;
  }],
  ['inspector, a recording with values', async (visit) => {
    const [inspector] = visit.others;
    await inspector.at('recording-values').click();
    await inspector.sees('values-warning');
    return inspector;
  }],
  ['inspector, a recording that is open', async (visit) => {
    const [inspector] = visit.others;
    await inspector.at('recording-look').click();
    await inspector.sees('held');
    return inspector;
  }],
  ['inspector, a lab that is closed', async (visit) => {
    const [inspector] = visit.others;
    await inspector.at('tab-lab').click();
    await inspector.sees('lab-off');
    return inspector;
  }],
  ['inspector, lab', async (visit) => {
    const [inspector] = visit.others;
    const { peers } = await inspector.peer.api('/peers');
    await inspector.page.route('**/lab', (route) => route.fulfill({ json: faults(peers[0].peerId, OPEN) }));
    await inspector.sees('lab');
    return inspector;
  }],
  ['inspector with a filter that leaves nothing', async (visit) => {
    const [inspector] = visit.others;
    await inspector.at('tab-people').click();
    await inspector.at('filter').fill('colour:red');
    await inspector.page.getByRole('alert').waitFor();
    await visit.do(inspector.peer, OPEN, 'leave');
    return inspector;
  }],
];

const rest = [
  ['the sample room', async ({ otter }) => {
    await otter.at('out-home').click();
    await otter.at('try-sample').click();
    await otter.sees('sample-bar');
    await until('three people', async () => (await otter.at('edge-chip').count()) === 3);
  }],
  ['a room that takes its time', async (visit) => {
    const { otter } = visit;
    await otter.at('leave-sample').click();
    await otter.sees('home');
    await otter.page.route('**/join', () => {});
    await otter.at('start-room-input').fill('Nowhere');
    await otter.at('start-room').click();
    await otter.sees('entering');
  }],
  ['a room that cannot be entered', async (visit) => {
    const { otter } = visit;
    await otter.page.unroute('**/join');
    await otter.at('leave-room').click();
    await otter.sees('home');
    await otter.page.route('**/join', (route) => route.abort());
    await otter.at('start-room-input').fill('Nowhere');
    await otter.at('start-room').click();
    await otter.page.getByRole('alert').first().waitFor();
  }],
  ['home again', async ({ otter }) => {
    await otter.page.unroute('**/join');
    await otter.page.locator('.problem button').first().click();
    await otter.sees('home');
  }],
  ['all that can be wrong with this computer', async ({ otter }) => {
    const wrong = { network: 'offline', links: 0, newer: 2, clockAheadMs: 725_000, notices: ['the disk is full', 'cannot read rooms.redb: broken'] };
    await otter.page.route('**/profile', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), ...wrong } });
    });
    await until('all of it', async () => (await otter.at('unwell-bar').count()) === 3);
  }, { slow: 'in German at 200 %' }],
  ['rooms that cannot be read', async ({ otter }) => {
    await otter.page.unrouteAll();
    await otter.page.route(/\/rooms(\?.*)?$/, (route) => route.abort());
    await otter.page.goto('about:blank');
    await otter.page.goto(otter.peer.url);
    await otter.sees('home');
    await otter.page.getByText(/could not be read|war nicht zu lesen/).waitFor();
  }],
  ['messages that cannot be read', async (visit) => {
    const { otter } = visit;
    await otter.page.unrouteAll();
    await until('rooms', async () => (await otter.at('room-card').count()) > 0);
    await otter.page.route('**/messages*', (route) => route.abort());
    await visit.go(OPEN);
    await visit.panel('messages');
    await otter.page.getByText(/could not be read|konnten nicht gelesen werden/).waitFor();
    await otter.page.unroute('**/messages*');
  }],
  ['why somebody is grey', async (visit) => {
    const { otter } = visit;
    await visit.gather(OPEN);
    visit.wren.process.kill('SIGSTOP');
    await visit.panel('people');
    await (await otter.sees('why-grey')).click();
    await otter.sees('why-grey-text');
  }, { slow: 'at 200 %' }],
  ['a copied profile', async (visit) => {
    const { otter } = visit;
    await visit.go(OPEN);
    visit.copy = await otter.peer.copy(otter.peer);
    visit.crew.push(visit.copy);
    await visit.copy.post(`/rooms/${encodeURIComponent(OPEN)}/join`, {});
    await otter.sees('clone-bar');
  }, { slow: 'at 100 %' }],
  ['the connection is lost', async (visit) => {
    const { otter } = visit;
    visit.wren.process.kill('SIGCONT');
    await visit.go(OPEN);
    otter.peer.process.kill('SIGSTOP');
    await until('red', async () => (await otter.at('connection-bar').getAttribute('data-phase')) === 'red', 30_000);
  }, { slow: 'at 200 %' }],
];

export const PAGES = [...before, ...home, ...room, ...board, ...messages, ...hosts, ...guests, ...inside, ...rest];
