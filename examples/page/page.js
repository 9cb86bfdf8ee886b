import { createLive } from './node_modules/parlor-client/index.js';
import { takeHash } from './node_modules/parlor-client/web.js';

const { token, room: id } = takeHash(location, history);
const room = createLive({ origin: location.origin, token }).room(id ?? 'project_123');
document.querySelector('h1').textContent = room.id;

const people = new Map();
const row = ({ memberId, actor }) => `${memberId} ${actor.userId}`;
const show = (...members) => {
  for (const member of members) people.set(row(member), `${member.actor.name} ${JSON.stringify(member.presence)}`);
  const rows = [...people.values()].map((line) => Object.assign(document.createElement('li'), { textContent: line }));
  document.querySelector('ul').replaceChildren(...rows);
};
room.on('snapshot', (members) => (people.clear(), show(...members)));
room.on('joined', (member) => show(member));
room.on('updated', (member) => show(member));
room.on('left', (member) => (people.delete(row(member)), show()));
addEventListener('pagehide', () => void room.leave());
addEventListener('mousemove', ({ clientX: x, clientY: y }) => void room.presence({ presence: { cursor: { x, y } } }));
await room.join({ presence: { status: 'online' } });
