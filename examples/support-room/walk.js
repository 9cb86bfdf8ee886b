/** An agent and a customer in a support room: what each does, and what the other sees. */
import { createLive } from 'parlor-client';

const { PARLOR_HTTP: origin = 'http://127.0.0.1:4750', PARLOR_TOKEN: token = 'secret' } = process.env;
const as = (id, name) => createLive({ origin, token, resolveActor: () => ({ id, name }) }).room('support_4711');
const customer = as('customer_17', 'Mara');
const agent = as('agent_3', 'Tomasz');

/** Follows a room from now on; what happens before its snapshot is in it. */
const ends = [];
const follow = (room) => new Promise((resolve) => ends.push(room.on('snapshot', resolve)));
/** The next event of a room that fits. */
const next = (room, name, fits) =>
  new Promise((resolve) => {
    const end = room.on(name, (...told) => {
      if (!fits(...told)) return;
      end();
      resolve(told[0]);
    });
  });
const told = (step, what) => console.log(`${step}: ${what}`);
const isTyping = (name, typing) => (member) => member.actor.name === name && member.presence.typing === typing;

// 1. The customer opens the page and waits. What does not change while there is metadata of the member.
await customer.join({ presence: { status: 'waiting', typing: false }, metadata: { role: 'customer', plan: 'team' } });
told('the customer waits', (await customer.members()).map(({ actor }) => actor.name).join(', '));

// 2. The agent looks who is there before coming in: reading joins nobody.
const [waiting] = await agent.members();
told('the agent looks', `${waiting.actor.name}, ${waiting.metadata.role} of plan ${waiting.metadata.plan}`);

// 3. The agent comes in, and the customer sees it at once.
await Promise.all([follow(customer), follow(agent)]);
const seen = next(customer, 'joined', ({ actor }) => actor.name === 'Tomasz');
await agent.join({ presence: { status: 'online', typing: false }, metadata: { role: 'agent' } });
told('the customer sees', `${(await seen).actor.name} came in`);

// 4. The customer types. Should the page vanish, that ends by itself after five seconds.
const typing = next(agent, 'updated', isTyping('Mara', true));
await customer.presence({ presence: { typing: true }, expire: { typing: 5000 } });
told('the agent sees', `${(await typing).actor.name} is typing`);

// 5. The question, which stays in the room, and the end of typing.
const asked = next(agent, 'message', ({ type }) => type === 'chat');
await customer.publish({ type: 'chat', data: { text: 'Nobody can log in!' }, keep: true });
await customer.presence({ presence: { status: 'waiting' }, unset: ['typing'] });
told('the agent reads', (await asked).data.text);

// 6. The agent makes it urgent: a setting that both share.
const urgent = next(customer, 'metadata', ({ metadata }) => metadata.priority === 'urgent');
await agent.metadata({ metadata: { title: 'Nobody can log in', priority: 'urgent', assignee: 'agent_3' } });
told('the customer sees', `priority ${(await urgent).metadata.priority}`);

// 7. Everybody in a list, with what each is and does.
for (const { actor, metadata, presence } of await agent.members({ limit: 100 })) {
  told('member', `${actor.name}, ${metadata.role}, ${presence.status}`);
}

// 8. Solved. Who leaves is gone at once; title and messages stay.
await agent.metadata({ metadata: { status: 'solved' }, unset: ['priority'] });
const gone = next(customer, 'left', ({ actor }) => actor.name === 'Tomasz');
await agent.leave();
told('the customer sees', `${(await gone).actor.name} left`);
for (const end of ends) end();
await customer.leave();
const { metadata } = await customer.metadata();
told('it stays', `${metadata.title}, ${metadata.status}, ${(await customer.history()).messages.length} message`);
