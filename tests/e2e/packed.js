/** The package `parlor-client` as other projects get it, and the examples as somebody else's projects that install it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

export const at = (...place) => join(root, ...place);

/** An empty folder of its own, outside of the repository, so that nothing of it is found by accident. */
export function emptyFolder() {
  return mkdtemp(join(tmpdir(), 'parlor-project-'));
}

/** Makes the package; answers where it is. `done` removes it. */
export async function pack() {
  const folder = await emptyFolder();
  const { stdout } = await run(process.execPath, [at('ui/client/pack.mjs'), folder], { cwd: at('ui') });
  return { file: stdout.trim(), done: () => rm(folder, { recursive: true }) };
}

/** Installs the package, and nothing from elsewhere. */
export async function install(folder, file) {
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--no-update-notifier'];
  await run('npm', ['install', ...quiet, file], { cwd: folder });
}

/** An example, copied away and with the package installed. */
export async function example(name, file) {
  const folder = await emptyFolder();
  await cp(at('examples', name), folder, { recursive: true, filter: (source) => !source.includes('node_modules') });
  await install(folder, file);
  return folder;
}
