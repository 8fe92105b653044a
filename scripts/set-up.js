#!/usr/bin/env node
/**
 * From a fresh clone to a running Amity: `node scripts/set-up.js start|test|build [arguments]`.
 *
 * Node's own modules only, because nothing may be installed yet. This file also has to parse on every Node that
 * somebody may have, to say which one is needed; everything else is therefore imported after that.
 */
const NODE_NEEDED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1])) {
  console.error(
    `Amity needs Node ${NODE_NEEDED.join('.')} or newer, and this is ${process.versions.node}. ` +
      'Install the current LTS release from https://nodejs.org (or: nvm install --lts) and run the command again.',
  );
  process.exit(1);
}

const { runVerb } = await import('./set-up/verbs.js');
process.exitCode = await runVerb(process.argv.slice(2));
