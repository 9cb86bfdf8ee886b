/**
 * Makes the package that other projects install: `node client/pack.mjs [FOLDER]` (`npm run pack`) writes
 * `parlor-client-VERSION.tgz` into `client/dist`, or into the folder, and prints where it is. In it are modules that
 * browsers and Node run as they are, and their types. The interface itself uses the sources.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const client = fileURLToPath(new URL('.', import.meta.url));
const ENTRIES = ['index', 'web', 'tauri'];
const target = resolve(process.argv[2] ?? join(client, 'dist'));

const made = await mkdtemp(join(tmpdir(), 'parlor-client-'));
try {
  await modules();
  await types();
  await manifest();
  await copyFile(join(client, 'README.md'), join(made, 'README.md'));
  await copyFile(join(client, '../../LICENSE'), join(made, 'LICENSE'));
  await mkdir(target, { recursive: true });
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', target];
  console.log(join(target, execFileSync('npm', args, { cwd: made, encoding: 'utf8' }).trim()));
} finally {
  await rm(made, { recursive: true });
}

async function modules() {
  await build({
    configFile: false,
    logLevel: 'warn',
    root: client,
    build: {
      ...{ outDir: made, emptyOutDir: false, target: 'es2022', minify: false },
      lib: { entry: Object.fromEntries(ENTRIES.map((name) => [name, join(client, 'src', `${name}.ts`)])), formats: ['es'] },
      rolldownOptions: { external: /^@tauri-apps\// },
    },
  });
}

async function types() {
  const compiler = join(client, '../node_modules/typescript/bin/tsc');
  const args = [compiler, '--project', client, '--outDir', join(made, 'types')];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  // Sources name their neighbours without an ending, which is enough for bundlers alone.
  for (const entry of await readdir(join(made, 'types'), { recursive: true })) {
    if (!entry.endsWith('.d.ts')) continue;
    const file = join(made, 'types', entry);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/(from |import\()(["'])(\.[^"']*)\2/g, '$1$2$3.js$2'));
  }
}

async function manifest() {
  const { name, version, description } = JSON.parse(await readFile(join(client, 'package.json'), 'utf8'));
  const where = (entry) => ({ types: `./types/${entry}.d.ts`, default: `./${entry}.js` });
  const exports = { '.': where('index'), './web': where('web'), './tauri': where('tauri') };
  const manifest = {
    ...{ name, version, description, license: 'MIT', type: 'module', sideEffects: false, exports },
    engines: { node: '>=20' },
    // The window alone needs it, and has it.
    peerDependencies: { '@tauri-apps/api': '^2.12.5' },
    peerDependenciesMeta: { '@tauri-apps/api': { optional: true } },
  };
  await writeFile(join(made, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
