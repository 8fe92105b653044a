import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A file of `workers/` as a thread or a process is started with it: the sources run through tsx, the build as it is. */
export function entryOf(
  name: 'generate' | 'generation-host' | 'store' | 'checkpoint',
  instead?: URL,
): { readonly filename: string; readonly execArgv?: string[] } {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const filename = fileURLToPath(instead ?? new URL(`../workers/${name}.${extension}`, import.meta.url));
  if (!filename.endsWith('.ts')) return { filename };
  // "--import tsx" does not reach the ES modules of a thread on Node 20; calling its interface does.
  const commonJs = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'));
  const tsx = new URL('./index.mjs', commonJs).href;
  const register = `import { register } from ${JSON.stringify(tsx)}; register();`;
  return { filename, execArgv: ['--import', `data:text/javascript,${encodeURIComponent(register)}`] };
}
