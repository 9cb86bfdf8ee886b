/** A bot: `node bot.js ROOM`. It answers `!who`, `!title` and `!ping`, and greets who comes. */
import { createLive } from 'parlor-client';

const live = createLive({
  origin: process.env.PARLOR_HTTP ?? 'http://127.0.0.1:4750',
  token: process.env.PARLOR_TOKEN ?? 'secret',
  resolveActor: () => ({ id: 'bot', name: 'Bot' }),
});
const room = live.room(process.argv[2] ?? 'standup');

const answers = {
  '!who': async () => (await room.others()).map(({ actor }) => actor.name).join(', ') || 'nobody but me',
  '!title': async () => (await room.metadata()).metadata.title ?? 'none yet',
  '!ping': async () => 'pong',
};

const me = await room.join({ presence: { status: 'online', role: 'bot' } });
const say = (text) => room.publish({ type: 'chat', data: { text }, keep: true });

room.on('message', async ({ type, data, memberId }) => {
  const answer = type === 'chat' && memberId !== me.memberId && answers[data?.text];
  if (!answer) return;
  // Should it never come to an end, nobody sees it typing for longer than five seconds.
  await room.presence({ presence: { typing: true }, expire: { typing: 5000 } });
  await say(await answer());
  await room.presence({ unset: ['typing'] });
});
room.on('joined', ({ memberId, actor }) => void (memberId !== me.memberId && say(`Welcome, ${actor.name}!`)));
room.on('snapshot', () => console.log(`${me.memberId} is in ${room.id}`));
room.on('failed', (cause) => {
  console.error(cause.message);
  process.exitCode = 1;
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await room.leave();
    process.exit();
  });
}
