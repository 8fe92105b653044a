import { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { serve } from '../main.ts';

export function createServeCommand(settings: () => Config): Command {
  return new Command('serve')
    .description('start the server (settings: docs/settings.md)')
    .action(() => serve(settings()));
}
