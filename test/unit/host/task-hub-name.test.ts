import { expect, test } from 'vitest';
import { taskHubName } from '../../../host/settings/task-hub-name.ts';

const name = (written: unknown, settings: NodeJS.ProcessEnv = {}) => taskHubName(written, 'hubName', settings);

test('a task hub has the name in host.json, or that of the app setting that it names', () => {
  expect(name('strongroom')).toBe('strongroom');
  expect(name('%HUB%', { HUB: ' strongroom2 ' })).toBe('strongroom2');
});

test('without the app setting, or without a name, there is one hub all the same', () => {
  expect(name('%HUB%')).toBe('host');
  expect(name('%HUB%', { HUB: ' ' })).toBe('host');
  expect(name(undefined)).toBe('host');
});

test.each(['ab', '1hub', 'my-hub', `h${'x'.repeat(45)}`, '%A%B%', 7])('a hub cannot be called %s', (written) => {
  expect(() => name(written)).toThrow('hubName must be 3 to 45 letters and digits');
});

test('a setting that is wrong is named, and not shown', () => {
  expect(() => name('%HUB%', { HUB: 'a secret' })).toThrow(
    /^The app setting "HUB" must be 3 to 45 letters and digits, beginning with a letter\.$/,
  );
});
