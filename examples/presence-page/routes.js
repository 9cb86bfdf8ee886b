/** The routes of a presence page: each is one call of a room. */
const roomOf = (request) => decodeURIComponent(new URL(request.url).pathname.split('/')[2]);

export function routes(app, live) {
  app.post('/rooms/:roomId/join', async (request) => {
    const { memberId } = await request.json();
    return await live.room(roomOf(request)).join({ memberId, presence: { status: 'online', typing: false } });
  });

  app.post('/rooms/:roomId/presence', async (request) => {
    const body = await request.json();
    return await live.room(roomOf(request)).presence({
      memberId: body.memberId,
      presence: { cursor: body.cursor, selection: body.selection, typing: body.typing },
    });
  });

  app.get('/rooms/:roomId/members', async (request) => {
    const members = await live.room(roomOf(request)).members({ limit: 100 });
    return { members };
  });

  app.post('/rooms/:roomId/leave', async (request) => {
    const { memberId } = await request.json();
    return await live.room(roomOf(request)).leave({ memberId });
  });
}
