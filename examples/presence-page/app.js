/** As much of a web framework as the routes need: requests and answers of the web's own kind, and two files. */
import { readFile } from 'node:fs/promises';

const KINDS = { html: 'text/html; charset=utf-8', js: 'text/javascript' };

export class App {
  #routes = [];

  constructor(here, files) {
    for (const file of files) {
      this.get(file === 'page.html' ? '/' : `/${file}`, async () => {
        const headers = { 'Content-Type': KINDS[file.split('.').pop()] };
        return new Response(await readFile(new URL(file, here)), { headers });
      });
    }
  }

  get(path, handler) {
    this.#add('GET', path, handler);
  }

  post(path, handler) {
    this.#add('POST', path, handler);
  }

  #add(method, path, handler) {
    const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);
    this.#routes.push({ method, pattern, handler });
  }

  async answer(url, incoming, outgoing) {
    const route = this.#routes.find(({ method, pattern }) => method === incoming.method && pattern.test(url.pathname));
    if (route === undefined) return outgoing.writeHead(404).end();
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const init = incoming.method === 'GET' ? {} : { method: incoming.method, body: body === '' ? '{}' : body };
    const answer = await route.handler(new Request(url, init));
    const response = answer instanceof Response ? answer : Response.json(answer);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  }
}
