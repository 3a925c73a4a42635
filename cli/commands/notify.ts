import { EXIT } from '../../host/exit-codes.ts';
import { commands } from '../command/command.ts';

export const NOTIFY = commands({
  path: ['notify', 'test'],
  about: 'Send a test message to a channel of the watch',
  arguments: [{ name: 'CHANNEL' }],
  prints: 'document',
  examples: [['notify test ops', 'see whether messages arrive']],
  async run(session, input) {
    const { out } = session;
    const { bytes, body } = await session.api.call<'testChannel'>('POST', 'notify/test', {
      body: { channel: input.argument(0) },
    });
    if (out.format === 'json') out.bytes(bytes);
    else out.line(`${body.channel}  has taken the message`);
    return EXIT.done;
  },
});
