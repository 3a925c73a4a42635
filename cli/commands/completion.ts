import { EXIT } from '../../host/exit-codes.ts';
import { commands } from '../command/command.ts';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';

export const COMPLETION = commands({
  path: ['completion'],
  about: 'Print the script that completes commands, options and names in a shell',
  details: 'Names of jobs, runs and restore points come from the app, within a second, and are kept for a minute.',
  arguments: [{ name: 'SHELL', oneOf: SHELLS }],
  prints: 'text',
  examples: [
    ['completion bash >> ~/.bashrc', 'in every new bash'],
    ['completion fish | source', 'in this fish'],
  ],
  async run({ world }, input) {
    world.stdout.write(SCRIPTS[input.argument(0) as Shell]);
    return EXIT.done;
  },
});
