import { defineConfig } from 'vite';

const { PARLOR_HTTP: peer = 'http://127.0.0.1:4750', PARLOR_TOKEN: token = 'secret', PORT: port = '8081' } = process.env;

/** The rooms are the peer's, which wants its token and no other site: both are said here and not in the page. */
const proxy = {
  '/rooms': { target: peer, changeOrigin: true, headers: { authorization: `Bearer ${token}`, origin: peer } },
};

export default defineConfig({
  server: { host: '127.0.0.1', port: Number(port), proxy },
  preview: { host: '127.0.0.1', port: Number(port), proxy },
});
