const id = new URLSearchParams(location.search).get('room') ?? 'project_123';
// Every tab is a member of its own, and stays the same one when it is loaded anew.
const memberId = (sessionStorage.tab ??= `tab_${Math.random().toString(36).slice(2)}`);
const [login, room, list] = ['#login', '#room', 'ul'].map((part) => document.querySelector(part));
const text = document.querySelector('textarea');
document.querySelector('h1').textContent = id;

const at = (route) => `/rooms/${encodeURIComponent(id)}/${route}`;
const post = async (path, body) => {
  const answer = await fetch(path, { method: 'POST', keepalive: true, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).message);
  return answer.json();
};

let looking;
async function look() {
  const { members } = await (await fetch(at('members'))).json();
  const rows = members.map(({ memberId: who, actor, presence }) => {
    const row = document.createElement('li');
    const at = presence.cursor === undefined ? '' : ` at ${presence.cursor}`;
    row.textContent = `${actor.name}${who === memberId ? ' (this tab)' : ''}${at}${presence.typing ? ', typing…' : ''}`;
    return row;
  });
  list.replaceChildren(...rows);
}

login.addEventListener('submit', async (event) => {
  event.preventDefault();
  await post('/login', { name: new FormData(login).get('name') });
  await post(at('join'), { memberId });
  [login.hidden, room.hidden] = [true, false];
  await look();
  looking = setInterval(look, 500);
});

let idle;
const tell = (typing) =>
  post(at('presence'), { memberId, typing, cursor: text.selectionEnd, selection: { from: text.selectionStart, to: text.selectionEnd } });
text.addEventListener('input', async () => {
  clearTimeout(idle);
  idle = setTimeout(() => tell(false), 3000);
  await tell(true);
});

document.querySelector('#leave').addEventListener('click', async () => {
  clearInterval(looking);
  clearTimeout(idle);
  await post(at('leave'), { memberId });
  [login.hidden, room.hidden] = [false, true];
});
addEventListener('pagehide', () => void (room.hidden || post(at('leave'), { memberId })));
